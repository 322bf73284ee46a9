using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;

namespace TdxVerify.Properties.Laws.Books;

/// <summary>What became of what a page held when its entry changed.</summary>
internal enum ContentFate
{
    /// <summary>Nothing to tell: a new page, or no page.</summary>
    None,

    /// <summary>Blocked or unblocked.</summary>
    Blocked,

    /// <summary>Moved to another page.</summary>
    Relocated,

    /// <summary>Merged into a larger mapping.</summary>
    Merged,

    /// <summary>Split into smaller mappings.</summary>
    Split,

    /// <summary>Taken away.</summary>
    Removed,

    /// <summary>Mapped by TDH.MEM.PAGE.ADD while the TD was being built.</summary>
    Added,

    /// <summary>Mapped at a GPA whose page was removed before.</summary>
    AddedAgain,
}

/// <summary>What a guest's operation of the event was about.</summary>
internal struct GuestTouch
{
    /// <summary>There was one: a memory access at a private GPA, or a TDG.MEM.PAGE.ACCEPT.</summary>
    public bool Exists;

    /// <summary>It was a TDG.MEM.PAGE.ACCEPT, else an access.</summary>
    public bool IsAccept;

    /// <summary>The vCPU.</summary>
    public int Vcpu;

    /// <summary>The TD.</summary>
    public int Td;

    /// <summary>The GPA.</summary>
    public ulong Gpa;

    /// <summary>Where the walk ended, after the event.</summary>
    public EntryRef At;

    /// <summary>The level at which it ended.</summary>
    public int Level;

    /// <summary>The level that TDG.MEM.PAGE.ACCEPT asked for.</summary>
    public int WantedLevel;

    /// <summary>The entry there, after the event.</summary>
    public SeptEntry Entry;
}

/// <summary>
/// Which GPAs of which TDs hold content that the guest agreed to: added while the TD was measured, or accepted. Kept for
/// each entry of the S-EPT; relocation, merging, splitting, blocking and unblocking keep it, removal ends it.
/// </summary>
internal sealed class Acceptance(RunBooks books)
{
    private const int WordsPerTable = 8;
    private const int EntriesPerTable = 512;

    private readonly List<ulong[]> _accepted = [];
    private readonly List<ulong[]> _removed = [];
    private long _seen;

    /// <summary>The guest's operation of the event.</summary>
    public GuestTouch Touch { get; private set; }

    /// <summary>The guest agreed to what the entry maps.</summary>
    public bool IsAccepted(EntryRef at) => Has(_accepted, at);

    /// <summary>The GPA was mapped before, and its page was removed.</summary>
    public bool WasRemoved(EntryRef at) => Has(_removed, at);

    /// <summary>A new sequence.</summary>
    public void Reset()
    {
        books.Reset();
        _seen = 0;
    }

    /// <summary>Takes over an event, once.</summary>
    public void See(Observation o)
    {
        books.See(o);
        if (_seen == books.Now)
            return;
        _seen = books.Now;
        Touch = default;
        if (books.Wrote(ChangeKind.NewTable))
            ForgetNewTables();
        foreach (ref readonly EntryChange change in books.Sept.Changes)
            Apply(o, change);
        if (books.Roster.Left && o.Guest.Kind != GuestOperationKind.Idle)
            ReadTouch(o);
    }

    /// <summary>What a change did to the content; after <see cref="See"/>.</summary>
    public ContentFate Fate(Observation o, in EntryChange change)
    {
        bool wasTable = SeptStates.NonLeaf.Contains(change.Before.State);
        if (change.ByTable || (!change.Before.IsLeaf && !change.After.IsLeaf))
            return ContentFate.None;
        if (change.Before.IsLeaf && change.After.IsLeaf)
            return change.IsOtherPage ? ContentFate.Relocated : change.Before.State == change.After.State.Blocked() || change.After.State == change.Before.State.Blocked() ? ContentFate.Blocked : ContentFate.None;
        if (change.Before.IsLeaf)
            return SeptStates.NonLeaf.Contains(change.After.State) ? ContentFate.Split : ContentFate.Removed;
        if (wasTable)
            return ContentFate.Merged;
        if (o.Leaf == HostLeaf.TDH_MEM_PAGE_ADD && o.Kind == TraceEventKind.Seamcall)
            return ContentFate.Added;
        return WasRemoved(change.At) ? ContentFate.AddedAgain : ContentFate.None;
    }

    private void Apply(Observation o, in EntryChange change)
    {
        switch (Fate(o, change))
        {
            case ContentFate.Added:
                Set(_accepted, change.At, (OpState)o.State.Td(change.Td, TdField.OpState) == OpState.INITIALIZED);
                break;
            case ContentFate.Removed:
                Set(_accepted, change.At, false);
                Set(_removed, change.At, true);
                break;
            case ContentFate.Merged:
                Merge(change.At, change.Before.Target);
                break;
            case ContentFate.Split:
                Split(change.At, change.After.Target);
                break;
            case ContentFate.None or ContentFate.AddedAgain when !change.Before.IsLeaf && change.After.IsLeaf && !change.ByTable:
                Set(_accepted, change.At, false);
                break;
            default:
                break;
        }
    }

    private void ForgetNewTables()
    {
        foreach (ref readonly Change change in books.Effects)
        {
            if (change.Kind != ChangeKind.NewTable)
                continue;
            Array.Clear(Words(_accepted, change.Object));
            Array.Clear(Words(_removed, change.Object));
        }
    }

    private void Merge(EntryRef at, int table)
    {
        bool all = true;
        bool any = false;
        for (int index = 0; index < EntriesPerTable; index++)
        {
            all &= Has(_accepted, new EntryRef(table, index));
            any |= Has(_removed, new EntryRef(table, index));
        }

        Set(_accepted, at, all);
        Set(_removed, at, any);
    }

    private void Split(EntryRef at, int table)
    {
        Array.Fill(Words(_accepted, table), Has(_accepted, at) ? ulong.MaxValue : 0);
        Array.Fill(Words(_removed, table), Has(_removed, at) ? ulong.MaxValue : 0);
        Set(_accepted, at, false);
    }

    private void ReadTouch(Observation o)
    {
        Stay visit = books.Roster.Visit;
        if (!books.Roster.Exists(visit.Td) || visit.Vcpu != o.Guest.Vcpu)
            return;
        ref ObservedState s = ref o.State;
        ref readonly GuestOperation operation = ref o.Model.Machine.OperationOf(visit.Vcpu);
        bool isAccept = operation.Kind == GuestOperationKind.Tdcall;
        if (isAccept && operation.Registers.Rax != (ulong)GuestLeaf.TDG_MEM_PAGE_ACCEPT)
            return;
        var operand = new PageInfo(operation.Registers.Rcx);
        ulong gpa = isAccept ? operand.Gpa : operation.Gpa;
        if (gpa >> Gpa.SharedBit((s.Td(visit.Td, TdField.ConfigFlags) & 1) != 0) != 0)
            return;
        int wanted = isAccept ? operand.Level : SeptLevel.Page4K;
        (EntryRef at, int level, SeptEntry entry) = SeptBook.Walk(ref s, visit.Td, gpa, wanted);
        Touch = new GuestTouch
        {
            Exists = true, IsAccept = isAccept, Vcpu = visit.Vcpu, Td = visit.Td, Gpa = gpa, At = at, Level = level, WantedLevel = wanted, Entry = entry,
        };
        if (isAccept && level == wanted && entry.IsLeaf && o.Guest.End == CallEnd.Returned && o.Guest.Status == Status.TDX_SUCCESS)
            Set(_accepted, at, true);
    }

    private static bool Has(List<ulong[]> bits, EntryRef at) =>
        (uint)at.Table < (uint)bits.Count && (bits[at.Table][at.Index >> 6] >> (at.Index & 63) & 1) != 0;

    private static void Set(List<ulong[]> bits, EntryRef at, bool value)
    {
        ref ulong word = ref Words(bits, at.Table)[at.Index >> 6];
        ulong bit = 1UL << (at.Index & 63);
        word = value ? word | bit : word & ~bit;
    }

    private static ulong[] Words(List<ulong[]> bits, int table)
    {
        while (bits.Count <= table)
            bits.Add(new ulong[WordsPerTable]);
        return bits[table];
    }
}
