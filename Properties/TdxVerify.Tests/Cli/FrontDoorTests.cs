using System.Diagnostics;
using System.Runtime.Versioning;
using Xunit;

namespace TdxVerify.Tests.Cli;

/// <summary>run-props.sh, as a process: exit statuses and arguments pass through it unchanged, from any folder.</summary>
[SupportedOSPlatform("linux")]
public sealed class FrontDoorTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tdxverify-front-door-");

    private static string Script => Path.Combine(RepositoryRoot.Path, "run-props.sh");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Arguments_reach_the_command_as_they_are_and_its_exit_status_comes_back()
    {
        (int status, string output, string error) = Run(Script, ["*  $HOME \"b\"", ""], "");

        Assert.Equal((2, ""), (status, output));
        Assert.StartsWith("tdxverify: unknown command '*  $HOME \"b\"'", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Standard_input_reaches_the_command() =>
        Assert.Contains("TDX_TD_FATAL", Run(Script, ["explain", "-"], "returned 0xe000060400000000\n").Out, StringComparison.Ordinal);

    [Fact]
    public void An_empty_command_is_refused() =>
        Assert.Equal((2, "run-props.sh: the command is an empty string; ./run-props.sh --help lists the commands\n"), Failure(Run(Script, [""], "")));

    [Fact]
    public void Without_dotnet_one_line_says_what_to_install()
    {
        (int status, string error) = Failure(RunCopy(dotnet: null));

        Assert.Equal(2, status);
        Assert.Matches(@"^run-props\.sh: there is no dotnet in PATH; install the \.NET SDK 10\.\S+ .*\n$", error);
    }

    [Fact]
    public void With_an_SDK_that_is_too_old_one_line_says_what_to_install()
    {
        (int status, string error) = Failure(RunCopy(dotnet: "#!/bin/sh\necho 'The command could not be loaded, possibly because:' >&2\nexit 155\n"));

        Assert.Equal(2, status);
        Assert.Matches(@"^run-props\.sh: \S+/dotnet has no SDK that is new enough; install the \.NET SDK 10\.\S+ .*\n$", error);
    }

    [Fact]
    public void A_build_that_fails_shows_the_errors_once_and_status_2()
    {
        const string failing = """
            #!/bin/sh
            [ "$1" = --version ] && exit 0
            echo "Model/A.cs(1,2): error CS1002: ; expected [/x/A.csproj]"
            echo "Model/A.cs(1,2): error CS1002: ; expected [/x/B.csproj]"
            exit 1

            """;

        (int status, string error) = Failure(RunCopy(failing));

        Assert.Equal(2, status);
        Assert.Equal(
            "Model/A.cs(1,2): error CS1002: ; expected\nrun-props.sh: the build of TdxVerify.Cli failed; all it printed is in artifacts/TdxVerify.Cli.log\n",
            error);
    }

    private static (int Status, string Error) Failure((int Status, string Out, string Error) run)
    {
        Assert.Equal("", run.Out);
        return (run.Status, run.Error);
    }

    /// <summary>Runs a copy of the script in an empty repository, with nothing in PATH but what it needs and this dotnet.</summary>
    private (int Status, string Out, string Error) RunCopy(string? dotnet)
    {
        string[] tools =
        [
            "bash", "sh", "awk", "basename", "cat", "comm", "cp", "cut", "dirname", "env", "find", "flock", "grep", "ls", "mkdir", "mv", "readlink", "rm",
            "sed", "sha1sum", "sort", "tail", "xargs",
        ];
        DirectoryInfo bin = _folder.CreateSubdirectory("bin");
        foreach (string tool in tools)
            File.CreateSymbolicLink(Path.Combine(bin.FullName, tool), FindInPath(tool));
        if (dotnet is not null)
        {
            string file = Path.Combine(bin.FullName, "dotnet");
            File.WriteAllText(file, dotnet);
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        DirectoryInfo repository = _folder.CreateSubdirectory("repository");
        foreach (string sub in (string[])["Model", "Properties", "Hardware"])
            repository.CreateSubdirectory(sub);
        string copy = Path.Combine(repository.FullName, "run-props.sh");
        File.Copy(Script, copy);
        return Run(copy, ["explain", "0x0"], "", bin.FullName);
    }

    private static string FindInPath(string tool) =>
        Environment.GetEnvironmentVariable("PATH")!.Split(':').Select(folder => Path.Combine(folder, tool)).First(File.Exists);

    private (int Status, string Out, string Error) Run(string script, string[] arguments, string input, string? path = null)
    {
        var start = new ProcessStartInfo(script, arguments)
        {
            WorkingDirectory = _folder.FullName,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (path is not null)
            start.Environment["PATH"] = path;

        using Process process = Process.Start(start)!;
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);
    }
}
