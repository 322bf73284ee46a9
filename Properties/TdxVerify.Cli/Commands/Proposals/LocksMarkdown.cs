using TdxVerify.Abi;
using TdxVerify.Host.Proposals;
using TdxVerify.Properties.LockMaps;

namespace TdxVerify.Cli.Commands.Proposals;

/// <summary>A lock map as Markdown, for a mail or a document.</summary>
internal static class LocksMarkdown
{
    public static void Write(TextWriter output, Proposal proposal, LockMap map)
    {
        output.WriteLine($"# Kernel locks and BUSY: {proposal.Name}, TDX module {map.Profile.Name()}");
        output.WriteLine();
        output.WriteLine("| SEAMCALL | kernel locks always held | when | in |");
        output.WriteLine("|---|---|---|---|");
        foreach (CallClass calls in map.Classes)
            output.WriteLine($"| {LockMapRows.NameOf(calls)} | {calls.LocksText} | {LockMapRows.Text(calls.Phases)} | {string.Join(", ", calls.Paths)} |");
        output.WriteLine();
        output.WriteLine("## BUSY that nothing in the kernel excludes");
        output.WriteLine();
        output.WriteLine("| SEAMCALL | operand | when | in | because of | then |");
        output.WriteLine("|---|---|---|---|---|---|");
        foreach (OpenRow row in LockMapRows.Open(map))
        {
            output.WriteLine(
                $"| {row.Victim} | {row.Operand} | {LockMapRows.Text(row.Phases)} | {string.Join(", ", row.Paths)} | {string.Join(", ", row.Makers)} "
                + $"| {string.Join("; or ", row.Then.Select(way => way.Text))} |");
        }

        output.WriteLine();
        output.WriteLine("## BUSY that is excluded");
        output.WriteLine();
        output.WriteLine("| SEAMCALL | operand | by | from |");
        output.WriteLine("|---|---|---|---|");
        foreach (ExcludedRow row in LockMapRows.Excluded(map))
            output.WriteLine($"| {row.Victim} | {row.Operand} | {row.Locks} | {string.Join(", ", row.Makers)} |");
    }
}
