using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Properties.State;

/// <summary>
/// Who holds which lock between two calls: agents of the test that keep a lock, vCPUs in the guest (their
/// TDH.VP.ENTER keeps the PAMT entries of the TDVPR and of the TDR shared), and nobody: what refused attempts left.
/// </summary>
internal sealed class LockHolders
{
    private readonly IPlatformState _state;
    private readonly LockOperation[] _held;

    public LockHolders(IPlatformState state, IEnumerable<LockOperation> held)
    {
        _state = state;
        _held = [.. held];
    }

    /// <summary>A PAMT entry's lock with its holders; null where it is free.</summary>
    public string? Pamt(PamtRef at)
    {
        ulong word = _state.Pamt(at, PamtField.Lock);
        return word == 0 ? null : Describe(
            "lock " + StateText.HostPriorityLockWord(word), HostPriorityLock.IsExclusive(word), HostPriorityLock.Readers(word),
            [.. _held.Where(held => IsPamt(held.Which) && Covers(at, held.Argument)).Select(Agent), .. RunningOn(at)]);
    }

    /// <summary>The locks of a TD that are not free, with their holders.</summary>
    public IEnumerable<string> Td(int td)
    {
        ulong opState = _state.Td(td, TdField.OpStateLock);
        if (opState != 0)
        {
            yield return Describe(
                "OP_STATE lock " + StateText.HostPriorityLockWord(opState), HostPriorityLock.IsExclusive(opState),
                HostPriorityLock.Readers(opState), [.. HeldOf(td, PortLock.OpState).Select(Agent)]);
        }

        foreach ((string name, TdField field, PortLock which) in ((string, TdField, PortLock)[])
            [("S-EPT tree lock ", TdField.SeptTreeLock, PortLock.SeptTree), ("TD epoch lock ", TdField.EpochLock, PortLock.Epoch)])
        {
            ulong word = _state.Td(td, field);
            if (word != 0)
                yield return Describe(name + StateText.PlainLockWord(word), PlainLock.IsExclusive(word), PlainLock.Readers(word), [.. HeldOf(td, which).Select(Agent)]);
        }
    }

    /// <summary>Who holds the lock of an S-EPT entry that is locked.</summary>
    public string Entry(int td, ulong gpa, int level)
    {
        foreach (LockOperation held in HeldOf(td, PortLock.SeptEntry))
        {
            var at = new PageInfo(held.Argument2);
            if (at.Level == level && (at.Gpa & ~(SeptLevel.Size(level) - 1)) == gpa)
                return TakenBy(held);
        }

        return "by nobody who still runs";
    }

    private static bool IsPamt(PortLock which) => which is PortLock.Tdr or PortLock.Pamt or PortLock.Tdvps;

    private static string TakenBy(LockOperation held) => $"by {(held.Guest ? "another vCPU" : "another host call")}";

    private static Holder Agent(LockOperation held) => new(TakenBy(held), held.Exclusive);

    private static string Describe(string word, bool exclusive, int readers, IReadOnlyList<Holder> holders)
    {
        List<string> parts = [.. holders.Select(holder => holder.Text)];
        int unknown = readers - holders.Count(holder => !holder.Exclusive);
        if (!exclusive && unknown > 0)
            parts.Add($"{unknown} left behind by refused attempts");
        return parts.Count == 0 ? word : $"{word} ({string.Join("; ", parts)})";
    }

    private IEnumerable<Holder> RunningOn(PamtRef at)
    {
        for (int lp = 0; lp < _state.Platform.LpCount; lp++)
        {
            int vcpu = (int)_state.Lp(lp, LpField.RunningVcpu) - 1;
            if (vcpu < 0)
                continue;
            int page = (int)_state.Vcpu(vcpu, VcpuField.TdvprPage);
            int tdr = (int)_state.Pamt(new PamtRef(0, page), PamtField.Owner) - 1;
            if (at == PamtRef.Of(at.Size, page) || at == new PamtRef(0, tdr))
                yield return new Holder($"{StateText.Vcpu(_state, vcpu)} in the guest on LP {lp}", false);
        }
    }

    // The walk takes the parents shared, and the entry where it ends in the mode.
    private bool Covers(PamtRef at, ulong hpa)
    {
        int page = (int)((hpa - _state.Platform.PageBase) >> Hpa.PageShift);
        return at == PamtRef.Of(at.Size, page) && at.Size >= EndOfWalk(page);
    }

    private int EndOfWalk(int page)
    {
        for (int size = 2; size > 0; size--)
        {
            if ((PageType)_state.Pamt(PamtRef.Of(size, page), PamtField.Type) == PageType.PT_REG)
                return size;
        }

        return 0;
    }

    private IEnumerable<LockOperation> HeldOf(int td, PortLock which)
    {
        ulong tdr = StateText.Hpa(_state, (long)_state.Td(td, TdField.TdrPage));
        return _held.Where(held => held.Which == which && held.Argument == tdr);
    }

    // Somebody who holds a lock.
    private readonly record struct Holder(string Text, bool Exclusive);
}
