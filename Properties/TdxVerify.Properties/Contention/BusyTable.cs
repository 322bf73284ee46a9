namespace TdxVerify.Properties.Contention;

/// <summary>Causes of OPERAND_BUSY, put together by who returns it and with which operand.</summary>
public static class BusyTable
{
    /// <summary>One row for each leaf and operand, with the leaves that make it BUSY.</summary>
    public static IEnumerable<(string Leaf, string Operand, IReadOnlyCollection<string> Makers)> Of(IEnumerable<BusyCause> causes) =>
        from cause in causes
        group cause.Maker by (cause.Leaf, cause.Operand) into makers
        orderby makers.Key.Leaf, makers.Key.Operand
        select (makers.Key.Leaf, makers.Key.Operand, (IReadOnlyCollection<string>)new SortedSet<string>(makers, StringComparer.Ordinal));
}
