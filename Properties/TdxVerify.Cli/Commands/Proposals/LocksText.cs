using System.Diagnostics;
using TdxVerify.Abi;
using TdxVerify.Host.Proposals;
using TdxVerify.Properties.LockMaps;

namespace TdxVerify.Cli.Commands.Proposals;

/// <summary>A lock map for a reader.</summary>
internal sealed class LocksText(Terminal terminal)
{
    private const string Detail = "      ";

    public void Write(Proposal proposal, LockMap map, Stopwatch time)
    {
        OpenRow[] open = [.. LockMapRows.Open(map)];
        ExcludedRow[] excluded = [.. LockMapRows.Excluded(map)];
        terminal.Out.WriteLine($"{terminal.Bold("locks")}  {proposal.Name}, TDX module {map.Profile.Name()}");
        WriteCalls(map);
        WriteOpen(open);
        WriteExcluded(excluded);
        terminal.Out.WriteLine();
        Paragraph.Write(
            terminal, "",
            $"{map.Classes.Count} kinds of calls; {map.Overlaps.Count(overlap => !overlap.CanOccur)} of {map.Overlaps.Count} overlaps that end in BUSY are excluded; "
            + $"of those left {open.Count(row => row.Bugs)} kinds bug the VM; {time.Elapsed.TotalSeconds:0.0} s");
    }

    private void WriteCalls(LockMap map)
    {
        terminal.Out.WriteLine($"\n{terminal.Bold("Kernel locks that are always held")}");
        foreach (IGrouping<CallKind, CallClass> calls in map.Classes.GroupBy(calls => calls.Kind))
        {
            terminal.Out.WriteLine($"  {calls.Key.Name}");
            foreach (IGrouping<string, CallClass> held in calls.GroupBy(each => each.LocksText))
                Paragraph.Write(terminal, $"    {held.Key}  ", terminal.Faint(string.Join(", ", held.SelectMany(each => each.Paths).Distinct())));
        }
    }

    private void WriteOpen(OpenRow[] rows)
    {
        terminal.Out.WriteLine($"\n{terminal.Bold("BUSY that nothing in the kernel excludes")}");
        foreach (OpenRow row in rows)
        {
            string mark = row.Bugs ? terminal.Bad("✗") : " ";
            Paragraph.Write(terminal, $"  {mark} ", $"{terminal.Bold(row.Victim)} BUSY({row.Operand}) {LockMapRows.Text(row.Phases)}, in {string.Join(", ", row.Paths.Select(Paragraph.Unbroken))}");
            Paragraph.Write(terminal, $"{Detail}because of  ", string.Join(", ", row.Makers.Select(Paragraph.Unbroken)));
            Paragraph.Write(terminal, $"{Detail}then        ", string.Join("; or ", row.Then.Select(way => way.Text)));
        }
    }

    private void WriteExcluded(ExcludedRow[] rows)
    {
        terminal.Out.WriteLine($"\n{terminal.Bold("BUSY that is excluded")}");
        foreach (IGrouping<string, ExcludedRow> victim in rows.GroupBy(row => row.Victim))
        {
            terminal.Out.WriteLine($"  {victim.Key}");
            foreach (ExcludedRow row in victim)
                Paragraph.Write(terminal, $"    BUSY({row.Operand}) by {row.Locks}: ", string.Join(", ", row.Makers));
        }
    }
}
