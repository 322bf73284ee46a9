using System.Diagnostics;
using TdxVerify.Abi;
using TdxVerify.Hardware.Native;

namespace TdxVerify.Tests.Hardware;

/// <summary>Compiles Native/fixture.c, in the variants that the tests ask for, with the system's C compiler.</summary>
public sealed class NativeFixture : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Dictionary<string, string> _libraries = [];

    /// <summary>What a user would say of the fixture's platform.</summary>
    public static PlatformInfo Defaults { get; } = new() { Profile = ModuleProfile.V1_5_05, CacheSubBlocks = 9 };

    /// <summary>Opens the fixture, compiled with these macros.</summary>
    public NativePort Open(params string[] macros) => NativePort.Open(Library(macros), Defaults);

    /// <summary>The library's file, compiled with these macros.</summary>
    public string Library(params string[] macros)
    {
        string variant = string.Join(',', macros);
        if (!_libraries.TryGetValue(variant, out string? library))
        {
            library = Path.Combine(_folder.Path, $"fixture{_libraries.Count}.so");
            Compile(library, macros);
            _libraries.Add(variant, library);
        }

        return library;
    }

    /// <summary>A file next to the libraries.</summary>
    public string Write(string name, byte[] bytes) => _folder.Write(name, bytes);

    public void Dispose() => _folder.Dispose();

    private static void Compile(string library, string[] macros)
    {
        string header = Path.Combine(RepositoryFiles.Root, "Hardware", "native");
        string source = Path.Combine(RepositoryFiles.Root, "Properties", "TdxVerify.Tests", "Native", "fixture.c");
        string[] arguments =
            ["-std=gnu11", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", $"-I{header}", "-o", library, source, .. macros.Select(macro => $"-D{macro}")];
        Process compiler;
        try
        {
            compiler = Process.Start(new ProcessStartInfo("cc", arguments) { RedirectStandardError = true })!;
        }
        catch (System.ComponentModel.Win32Exception error)
        {
            throw new InvalidOperationException("The tests of the native port need a C compiler: install gcc, such that cc is found.", error);
        }

        using (compiler)
        {
            string output = compiler.StandardError.ReadToEnd();
            compiler.WaitForExit();
            if (compiler.ExitCode != 0)
                throw new InvalidOperationException($"cc could not compile {source}: {output}");
        }
    }
}
