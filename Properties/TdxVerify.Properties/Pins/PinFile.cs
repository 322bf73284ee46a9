namespace TdxVerify.Properties.Pins;

/// <summary>A table of pinned results that is built in: a header, then a row a line, columns parted by commas.</summary>
internal static class PinFile
{
    /// <summary>Reads the rows.</summary>
    /// <param name="name">The file's name, which is that of the resource.</param>
    /// <param name="header">The columns that it must have; the last one may hold commas.</param>
    /// <exception cref="InvalidDataException">The file has other columns.</exception>
    public static IReadOnlyList<string[]> Read(string name, string header)
    {
        using var reader = new StreamReader(typeof(PinFile).Assembly.GetManifestResourceStream(name)!);
        string[] lines = reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (lines[0] != header)
            throw new InvalidDataException($"{name}: its columns are not {header}");
        int columns = header.Split(',').Length;
        return [.. lines.Skip(1).Select(line => line.Split(',', columns) is { } row && row.Length == columns
            ? row
            : throw new InvalidDataException($"{name}: '{line}' has not the columns {header}"))];
    }
}
