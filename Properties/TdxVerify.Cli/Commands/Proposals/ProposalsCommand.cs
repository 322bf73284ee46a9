using System.CommandLine;

namespace TdxVerify.Cli.Commands.Proposals;

/// <summary><c>proposals</c>: what the host should do when a SEAMCALL is busy.</summary>
internal static class ProposalsCommand
{
    public static Command Create(Terminal terminal)
    {
        var command = new CliCommand("proposals", "what the host should do when a SEAMCALL is busy");
        command.Add(ProposalsLocksCommand.Create(terminal));
        return command;
    }
}
