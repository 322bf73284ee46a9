using System.Reflection;

namespace TdxVerify.Properties.Twins;

/// <summary>The sources of all twins in a folder of their own, which is gone in the end.</summary>
internal sealed class TwinFolder : IDisposable
{
    private const string Prefix = "twins/";

    public TwinFolder()
    {
        Assembly assembly = typeof(TwinFolder).Assembly;
        foreach (string name in assembly.GetManifestResourceNames().Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            using Stream source = assembly.GetManifestResourceStream(name)!;
            using FileStream file = File.Create(System.IO.Path.Combine(Path, name[Prefix.Length..]));
            source.CopyTo(file);
        }
    }

    public string Path { get; } = Directory.CreateTempSubdirectory("tdxverify-twins-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
