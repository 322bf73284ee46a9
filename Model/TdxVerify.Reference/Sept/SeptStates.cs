using System.Runtime.CompilerServices;
using static TdxVerify.Reference.SeptTraits;

namespace TdxVerify.Reference;

/// <summary>One row of facts/sept-states.csv.</summary>
/// <param name="State">The state.</param>
/// <param name="Encoding">Its state bits, as <see cref="SeptEntry.Encoding"/> gathers them.</param>
/// <param name="ArchitecturalState">The number that leaves return in RDX bits 15:8.</param>
/// <param name="Traits">Its properties.</param>
internal readonly record struct SeptStateRow(
    SeptState State, byte Encoding, byte ArchitecturalState, SeptTraits Traits)
{
    public bool Has(SeptTraits trait) => (Traits & trait) != 0;
}

/// <summary>The states of the L1 S-EPT, found by their encoding.</summary>
internal static class SeptStates
{
    private const SeptTraits AttrRdAndRelocate = AttrRd | PageRelocate;

    private static readonly SeptStateRow[] s_rows =
    [
        new(SeptState.Free, 0x0E, 0, PageAdd | SeptAdd | PageAug),
        new(SeptState.Removed, 0x0C, 5, PageAug),
        new(SeptState.NlMapped, 0x00, 132, TrackingRequired | SeptAdd | RangeBlock | PagePromote | SeptRemove),
        new(SeptState.NlBlocked, 0x08, 129, AnyBlocked | TrackingRequired | PagePromote | SeptRemove | RangeUnblock),
        new(SeptState.Mapped, 0x60, 4,
            MappedOrPending | GuestAccessibleLeaf | TrackingRequired | PageRelocate | RangeBlock | PageDemote
            | MrExtend | PageRemove | AttrRd | AttrWr),
        new(SeptState.Blocked, 0x68, 1,
            AnyBlocked | TrackingRequired | PageRelocate | PageDemote | PageRemove | RangeUnblock),
        new(SeptState.BlockedW, 0x64, 8,
            GuestAccessibleLeaf | TrackingRequired | AttrRdAndRelocate | RangeBlock | PageRemove),
        new(SeptState.ExportedBlockedW, 0x66, 9, GuestAccessibleLeaf | AttrRdAndRelocate),
        new(SeptState.ExportedDirty, 0x63, 11, GuestAccessibleLeaf | TrackingRequired | AttrRdAndRelocate | AttrWr),
        new(SeptState.ExportedDirtyBlockedW, 0x67, 12, GuestAccessibleLeaf | TrackingRequired | AttrRdAndRelocate),
        new(SeptState.Pending, 0x70, 2,
            MappedOrPending | AnyPending | PendingAcceptable | TrackingRequired | PageRelocate | RangeBlock
            | PageDemote | PageRemove | Accept | AttrRd | AttrWr),
        new(SeptState.PendingBlocked, 0x78, 3,
            AnyPending | AnyBlocked | TrackingRequired | PageRelocate | PageDemote | PageRemove | RangeUnblock),
        new(SeptState.PendingBlockedW, 0x74, 16,
            AnyPending | TrackingRequired | AttrRdAndRelocate | RangeBlock | PageRemove),
        new(SeptState.PendingExportedBlockedW, 0x76, 17, AnyPending | AttrRdAndRelocate),
        new(SeptState.PendingExportedDirty, 0x73, 19,
            AnyPending | PendingAcceptable | TrackingRequired | AttrRdAndRelocate | Accept | AttrWr),
        new(SeptState.PendingExportedDirtyBlockedW, 0x77, 20, AnyPending | TrackingRequired | AttrRdAndRelocate),
    ];

    private static readonly SeptStateRow[] s_byEncoding = ByEncoding();

    /// <summary>The state of an entry. Bits that encode none are those of no row: no leaf accepts it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ref readonly SeptStateRow Of(ulong entry) => ref s_byEncoding[SeptEntry.Encoding(entry)];

    private static SeptStateRow[] ByEncoding()
    {
        var rows = new SeptStateRow[128];
        foreach (SeptStateRow row in s_rows)
            rows[row.Encoding] = row;
        return rows;
    }
}
