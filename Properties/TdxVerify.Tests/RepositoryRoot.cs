namespace TdxVerify.Tests;

/// <summary>Where the sources of these tests are.</summary>
internal static class RepositoryRoot
{
    /// <summary>The folder with TdxVerify.sln.</summary>
    public static string Path { get; } = Find();

    private static string Find()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "TdxVerify.sln")))
                return folder.FullName;
        }

        throw new InvalidOperationException($"no TdxVerify.sln above {AppContext.BaseDirectory}");
    }
}
