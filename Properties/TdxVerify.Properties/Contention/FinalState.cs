using TdxVerify.Model;

namespace TdxVerify.Properties.Contention;

/// <summary>
/// What calls changed, lock words and host priority apart, as sums that are equal exactly if the changes are (up to
/// the chance of 2^-128). TDs, vCPUs and S-EPT tables go by their pages: handles depend on the order of calls.
/// </summary>
/// <param name="All">Everything that contention.md compares.</param>
/// <param name="SeptPamtTdr">S-EPT, PAMT and TDR only.</param>
/// <param name="HostPriority">A host-priority bit is set somewhere.</param>
internal readonly record struct FinalState(UInt128 All, UInt128 SeptPamtTdr, bool HostPriority)
{
    private static readonly TdField[] s_tdr =
        [TdField.TdrPage, TdField.Fatal, TdField.Lifecycle, TdField.Hkid, TdField.KeysConfigured, TdField.TdcsPages, TdField.ChildCount];

    public static FinalState Of(in BranchingState s)
    {
        var net = new Dictionary<(ChangeKind, int, int), (ulong Old, ulong New)>();
        var renewed = new HashSet<int>();
        foreach (ref readonly Change change in s.Changes)
        {
            if (change.Kind is ChangeKind.NewTable or ChangeKind.FreeTable)
                renewed.Add(change.Object);
            if (change.Kind >= ChangeKind.NewTd)
                continue;
            (ChangeKind, int, int) cell = (change.Kind, change.Object, change.Position);
            ulong old = net.TryGetValue(cell, out (ulong Old, ulong New) known) ? known.Old : change.Old;
            net[cell] = (old, change.New);
        }

        UInt128 all = 0;
        UInt128 part = 0;
        bool priority = false;
        foreach (((ChangeKind kind, int target, int position), (ulong old, ulong value)) in net)
        {
            if (old == value)
                continue;
            priority |= HasHostPriority(kind, position, value);
            (ulong before, ulong now) = (Masked(s, kind, position, old), Masked(s, kind, position, value));
            // A table that came or went in between: what it held before says nothing, what it holds now all.
            bool isRenewed = kind == ChangeKind.Entry && renewed.Contains(target);
            if (isRenewed ? now == 0 : before == now)
                continue;
            UInt128 term = WordHash.Of((ulong)kind, (ulong)Named(s, kind, target), (ulong)position, now);
            all ^= kind == ChangeKind.Lp ? 0 : term;
            if (kind is ChangeKind.Entry or ChangeKind.Pamt || (kind == ChangeKind.Td && s_tdr.Contains((TdField)position)))
                part ^= term;
        }

        return new FinalState(all, part, priority);
    }

    private static bool HasHostPriority(ChangeKind kind, int position, ulong value) => kind switch
    {
        ChangeKind.Pamt => (PamtField)(position & 0xF) == PamtField.Lock && HostPriorityLock.HasHostPriority(value),
        ChangeKind.Td => (TdField)position == TdField.OpStateLock && HostPriorityLock.HasHostPriority(value),
        ChangeKind.Entry => new SeptEntry(value).HasHostPriority,
        _ => false,
    };

    private static ulong Masked(in BranchingState s, ChangeKind kind, int position, ulong value)
    {
        switch (kind)
        {
            case ChangeKind.Pamt when (PamtField)(position & 0xF) == PamtField.Lock:
            case ChangeKind.Td when (TdField)position is TdField.OpStateLock or TdField.SeptTreeLock or TdField.EpochLock:
            case ChangeKind.Global when (GlobalField)position is GlobalField.KotLock or GlobalField.WritebackMutex:
                return 0;
            case ChangeKind.Td when (TdField)position == TdField.RootTable:
                return (ulong)s.TablePage((int)value);
            case ChangeKind.Entry:
                SeptEntry entry = new SeptEntry(value).WithoutLockBits;
                return entry.State is SeptState.NL_MAPPED or SeptState.NL_BLOCKED
                    ? SeptEntry.Of(entry.State, s.TablePage(entry.Target)).Word
                    : entry.Word;
            default:
                return value;
        }
    }

    private static long Named(in BranchingState s, ChangeKind kind, int target) => kind switch
    {
        ChangeKind.Entry => s.TablePage(target),
        ChangeKind.Td or ChangeKind.X2ApicId => (long)s.Td(target, TdField.TdrPage),
        ChangeKind.Vcpu or ChangeKind.FaultingGpa => (long)s.Vcpu(target, VcpuField.TdvprPage),
        _ => target,
    };
}
