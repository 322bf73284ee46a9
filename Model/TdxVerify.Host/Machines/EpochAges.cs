using TdxVerify.Model;

namespace TdxVerify.Host;

/// <summary>
/// Epochs by age. An epoch is a number above a tag: the tag plus 2 for the current one, plus 1 for the previous one, the
/// tag itself for every older one. So it can be told from other numbers wherever it is held, and cycles close.
/// </summary>
/// <remarks>
/// Why this changes no outcome: the module compares epochs for being equal to, one below, or further below TD_EPOCH, and
/// uses the lowest bit to choose one of two reference counts. The tag is even; when TD_EPOCH moves on, all epochs move
/// down by one instead and the two counts change places. The lowest bit of an epoch older than the previous one chooses no
/// count: a vCPU that runs or was counted in it keeps TDH.MEM.TRACK from making it that old.
/// </remarks>
internal static class EpochAges
{
    /// <summary>An epoch before the previous one.</summary>
    public const ulong Older = 1UL << 62;

    /// <summary>The current epoch.</summary>
    public const ulong Current = Older + 2;

    private const ulong Newest = Older + 3;

    /// <summary>The TD at the start is brought to ages.</summary>
    public static void Begin(StoredCells cells, int td)
    {
        ulong now = cells.Read(Cell.Td(td, TdField.Epoch));
        foreach (Cell cell in cells.Values.Keys.Where(IsEpoch).ToArray())
            cells.Write(cell, Aged(now - cells.Read(cell)));
        if (now % 2 != 0)
            SwapCounts(cells, td);
    }

    /// <summary>TD_EPOCH has moved on: everything is to be made one older.</summary>
    public static bool HasAdvanced(ICells cells, int td) => cells.Read(Cell.Td(td, TdField.Epoch)) == Newest;

    /// <summary>Where the value of a cell goes when everything becomes older: the reference counts change places.</summary>
    public static Cell AgedCell(Cell cell, int td)
    {
        if (cell == Cell.Td(td, TdField.RefCountEven))
            return Cell.Td(td, TdField.RefCountOdd);
        return cell == Cell.Td(td, TdField.RefCountOdd) ? Cell.Td(td, TdField.RefCountEven) : cell;
    }

    /// <summary>The value of a cell when everything has become older.</summary>
    public static ulong AgedValue(Cell cell, ulong value) => IsEpoch(cell) ? OneOlder(value) : value;

    /// <summary>A call in flight makes the epochs that it has read older.</summary>
    public static void Age(ref Call call)
    {
        call.Sample = OneOlder(call.Sample);
        call.Sample2 = OneOlder(call.Sample2);
    }

    private static bool IsEpoch(Cell cell) => cell.Kind switch
    {
        ChangeKind.Td => cell.Position == (int)TdField.Epoch,
        ChangeKind.Vcpu => cell.Position == (int)VcpuField.Epoch,
        ChangeKind.Pamt => (cell.Position & 0xF) == (int)PamtField.Bepoch,
        _ => false,
    };

    private static ulong Aged(ulong age) => age > 1 ? Older : Current - age;

    private static ulong OneOlder(ulong epoch) => epoch is > Older and <= Newest ? epoch - 1 : epoch;

    private static void SwapCounts(StoredCells cells, int td)
    {
        var even = Cell.Td(td, TdField.RefCountEven);
        var odd = Cell.Td(td, TdField.RefCountOdd);
        ulong kept = cells.Read(even);
        cells.Write(even, cells.Read(odd));
        cells.Write(odd, kept);
    }
}
