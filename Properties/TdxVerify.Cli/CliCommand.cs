using System.CommandLine;

namespace TdxVerify.Cli;

/// <summary>A command with what its help shows beyond names and descriptions.</summary>
internal sealed class CliCommand(string name, string description) : Command(name, description)
{
    /// <summary>A paragraph below the description; may be empty.</summary>
    public string Details { get; init; } = "";

    /// <summary>Command lines that work as they stand, without <c>tdxverify</c> and the command's name.</summary>
    public IReadOnlyList<(string Arguments, string Meaning)> Examples { get; init; } = [];
}
