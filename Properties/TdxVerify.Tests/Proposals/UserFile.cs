namespace TdxVerify.Tests.Proposals;

/// <summary>A file that a user has written, in a folder of its own.</summary>
internal sealed class UserFile : IDisposable
{
    private const string Declaration =
        "public static class Mine { public static Proposal Proposal { get; } = new(\"mine\") { Author = \"a\", Date = \"d\", Claim = \"c\", Host = KvmHost.Of(new KvmParts { RemovePage = Remove() }) };";

    private readonly string _folder = Directory.CreateTempSubdirectory("tdxverify-test").FullName;

    private UserFile(string text)
    {
        Path = System.IO.Path.Combine(_folder, "mine.cs");
        File.WriteAllText(Path, text);
    }

    /// <summary>Where it is.</summary>
    public string Path { get; }

    /// <summary>A file with a text.</summary>
    public static UserFile Of(string text) => new(text);

    /// <summary>A proposal whose removal of a page is a program of these states; line 1 declares the proposal, the first state is in line 3.</summary>
    public static UserFile WithRemoval(string states) => new($"""
        {Declaration}
        static HostProgram Remove() => HostProgram.Named("remove")
        {states}
        .Build(); {"}"}
        """);

    /// <summary>A proposal with further members, of which Remove() is one; they begin in line 2.</summary>
    public static UserFile WithMembers(string members) => new($"{Declaration}\n{members}\n}}\n");

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
