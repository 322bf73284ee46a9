using TdxVerify.Abi;
using TdxVerify.Properties.Campaigns;

namespace TdxVerify.Cli.Commands;

/// <summary>A failing sequence in a file.</summary>
/// <param name="File">The file.</param>
internal sealed record SavedFailure(string File)
{
    /// <summary>Writes the sequence into a folder, under a name that tells the law and, where there is one, the seed.</summary>
    /// <exception cref="InputException">The folder cannot be written.</exception>
    public static SavedFailure Save(string folder, PropsOptions options, string implementation, FoundFailure failure)
    {
        CheckFolder(folder);
        Directory.CreateDirectory(folder);
        string file = Path.Combine(folder, $"{failure.Failure.Law}{(failure.Seed is { } seed ? $"-{seed:x16}" : "")}.jsonl");
        using var worker = new PropsWorker(options);
        FailureFile.Write(file, worker.Runner, implementation, failure.Events);
        return new SavedFailure(file);
    }

    /// <summary>Makes sure that the folder can be written: a failure that was found after hours must not get lost.</summary>
    /// <exception cref="InputException">The folder cannot be written.</exception>
    public static void CheckFolder(string folder)
    {
        try
        {
            bool existed = Directory.Exists(folder);
            Directory.CreateDirectory(folder);
            string probe = Path.Combine(folder, $".{Path.GetRandomFileName()}");
            System.IO.File.Create(probe, 1, FileOptions.DeleteOnClose).Dispose();
            if (!existed)
                Directory.Delete(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new InputException($"--output: {folder} cannot be used as a folder for failing sequences: {e.Message}", e);
        }
    }
}
