using System.CommandLine;
using System.CommandLine.Invocation;
using System.Reflection;
using TdxVerify.Abi;

namespace TdxVerify.Cli;

/// <summary><c>--version</c>: the version with its commit, the runtime, and the module profiles.</summary>
internal sealed class VersionAction(Terminal terminal) : SynchronousCommandLineAction
{
    private const int CommitDigits = 12;

    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        string[] version = (typeof(VersionAction).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown").Split('+');
        string commit = version.Length > 1 ? $" (commit {version[1][..Math.Min(CommitDigits, version[1].Length)]})" : "";
        string profiles = string.Join(", ", ModuleProfiles.All.Select(profile => profile.Name));
        terminal.Out.WriteLine($"{CommandLine.Name} {version[0]}{commit}, .NET {Environment.Version}, TDX module profiles {profiles}");
        return ExitStatus.Held;
    }
}
