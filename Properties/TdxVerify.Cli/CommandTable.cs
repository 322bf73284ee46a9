using System.CommandLine;
using TdxVerify.Cli.Commands;
using TdxVerify.Cli.Commands.Proposals;

namespace TdxVerify.Cli;

/// <summary>The commands, in the order in which the help lists them.</summary>
internal static class CommandTable
{
    public static IEnumerable<Command> Create(Terminal terminal) =>
    [
        TraceCommand.Create(terminal),
        PropsCommand.Create(terminal),
        ReplayCommand.Create(terminal),
        ExploreCommand.Create(terminal),
        ProposalsCommand.Create(terminal),
        TwinsCommand.Create(terminal),
        BenchCommand.Create(terminal),
        ExplainCommand.Create(terminal),
        DiagramCommand.Create(terminal),
        MutantsCommand.Create(terminal),
    ];
}
