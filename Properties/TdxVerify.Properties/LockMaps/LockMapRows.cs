namespace TdxVerify.Properties.LockMaps;

/// <summary>BUSY of a call that nothing in the kernel excludes.</summary>
/// <param name="Victim">The call.</param>
/// <param name="Paths">The kernel functions whose path makes it.</param>
/// <param name="Operand">The operand.</param>
/// <param name="Makers">The calls that make it, with what guests do in brackets.</param>
/// <param name="Phases">When.</param>
/// <param name="Then">What the host does then.</param>
public sealed record OpenRow(string Victim, IReadOnlyList<string> Paths, string Operand, IReadOnlyList<string> Makers, TdPhases Phases, IReadOnlyList<BusyWay> Then)
{
    /// <summary>The host bugs the VM then.</summary>
    public bool Bugs => Then.Any(way => way.End == BusyEnd.Bug);
}

/// <summary>BUSY of a call that the kernel excludes.</summary>
/// <param name="Victim">The call.</param>
/// <param name="Operand">The operand.</param>
/// <param name="Makers">The calls that would make it.</param>
/// <param name="Locks">What keeps them apart.</param>
public sealed record ExcludedRow(string Victim, string Operand, IReadOnlyList<string> Makers, string Locks);

/// <summary>A lock map as tables show it: overlaps of the same kind in one row.</summary>
public static class LockMapRows
{
    /// <summary>The phases in words.</summary>
    public static string Text(TdPhases phases) => phases switch
    {
        TdPhases.Building => "before FINALIZE",
        TdPhases.Running => "after FINALIZE",
        TdPhases.Building | TdPhases.Running => "before and after FINALIZE",
        TdPhases.TornDown => "at the end",
        _ => "at any time",
    };

    /// <summary>The calls with what is held: <c>TDH.MEM.TRACK (wait_for_sept_zap set, kicked)</c>.</summary>
    public static string NameOf(CallClass calls) => calls.Gate is { } gate ? $"{calls.Kind.Name} ({gate.Text})" : calls.Kind.Name;

    /// <summary>What can occur, host BUGs first.</summary>
    public static IEnumerable<OpenRow> Open(LockMap map) =>
        from overlap in map.Overlaps
        where overlap.CanOccur
        group overlap by (Victim: NameOf(overlap.Victim), overlap.Operand, Then: string.Join('|', overlap.Then.Select(way => way.Text))) into same
        let row = new OpenRow(
            same.Key.Victim, [.. same.SelectMany(overlap => overlap.Victim.Paths).Distinct()], same.Key.Operand,
            [.. same.GroupBy(overlap => overlap.Maker.Kind.Name).OrderBy(makers => makers.Key, StringComparer.Ordinal).Select(MakerOf)],
            same.Aggregate(TdPhases.None, (all, overlap) => all | overlap.Phases), same.First().Then)
        orderby row.Bugs descending, row.Victim, row.Operand
        select row;

    /// <summary>What cannot: the locks that keep all such calls apart, or, where there is no such lock, all that keep some apart.</summary>
    public static IEnumerable<ExcludedRow> Excluded(LockMap map) =>
        from overlap in map.Overlaps
        where !overlap.CanOccur
        group overlap by (Victim: overlap.Victim.Kind.Name, overlap.Operand, Maker: overlap.Maker.Kind.Name) into same
        let common = same.Select(overlap => overlap.ExcludedBy).Aggregate<IEnumerable<string>>((all, some) => all.Intersect(some))
        let locks = string.Join(" or ", common.Any() ? common : same.SelectMany(overlap => overlap.ExcludedBy).Distinct())
        group same.Key.Maker by (same.Key.Victim, same.Key.Operand, locks) into rows
        orderby rows.Key.Victim, rows.Key.Operand, rows.Key.locks
        select new ExcludedRow(rows.Key.Victim, rows.Key.Operand, [.. rows.Order(StringComparer.Ordinal)], rows.Key.locks);

    private static string MakerOf(IGrouping<string, Overlap> makers)
    {
        string[] what = [.. makers.SelectMany(overlap => overlap.What).Distinct().Order(StringComparer.Ordinal)];
        return what.Length > 0 ? $"{makers.Key} [{string.Join(", ", what)}]" : makers.Key;
    }
}
