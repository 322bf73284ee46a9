using TdxVerify.Host.Field;
using TdxVerify.Properties.LockMaps;

namespace TdxVerify.Cli.Commands.Proposals;

/// <summary>A finding of a lock map for a reader: what goes wrong, and a shortest run.</summary>
internal static class LockFindingText
{
    private const string Indent = "  ";

    public static void Write(Terminal terminal, LockFinding finding)
    {
        LockFindingRun run = LockFindingRun.Of(finding);
        Paragraph.Write(terminal, $"{terminal.Bold(finding.Name)}  ", finding.What);
        terminal.Out.WriteLine(terminal.Faint($"{Indent}{finding.Shows}: {run.Shown!.Steps} visible steps, {run.Shown.ContextSwitches} context switches, {run.States:#,0} states"));
        LaneWriter.Write(terminal, run.Shown.Lanes, Indent);
        terminal.Out.WriteLine();
    }
}
