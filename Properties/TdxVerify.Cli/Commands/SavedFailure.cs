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
        string file = Path.Combine(folder, $"{failure.Failure.Law}{(failure.Seed is { } seed ? $"-{seed:x16}" : "")}.jsonl");
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"--output: {folder} cannot be used as a folder for failing sequences: {e.Message}", e);
        }

        using var worker = new PropsWorker(options);
        FailureFile.Write(file, worker.Runner, implementation, failure.Events);
        return new SavedFailure(file);
    }
}
