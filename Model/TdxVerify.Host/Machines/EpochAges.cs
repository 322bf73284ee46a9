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

    /// <summary>After TD_EPOCH moved on: everything is one older.</summary>
    public static void Advance(ISystemState<Thread> state, int td, int agents)
    {
        if (state.Read(Cell.Td(td, TdField.Epoch)) != Newest)
            return;
        foreach (Cell cell in state.Cells)
        {
            if (IsEpoch(cell))
                state.Write(cell, OneOlder(state.Read(cell)));
        }

        SwapCounts(state, td);
        for (int agent = 0; agent < agents; agent++)
        {
            ref Call call = ref state.Local(agent).Agent.Call;
            call.Sample = OneOlder(call.Sample);
            call.Sample2 = OneOlder(call.Sample2);
        }
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

    private static void SwapCounts(ICells cells, int td)
    {
        var even = Cell.Td(td, TdField.RefCountEven);
        var odd = Cell.Td(td, TdField.RefCountOdd);
        ulong kept = cells.Read(even);
        cells.Write(even, cells.Read(odd));
        cells.Write(odd, kept);
    }
}
