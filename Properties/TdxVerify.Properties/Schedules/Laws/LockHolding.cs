using System.Numerics;
using TdxVerify.Model;

namespace TdxVerify.Properties.Schedules.Laws;

/// <summary>Who holds which lock word while calls overlap: found from what each call notes, and from who is in the guest.</summary>
internal static class LockHolding
{
    private static (ChangeKind Kind, int Object, int Position) Word(LockId id, in Call call) => id switch
    {
        LockId.OpState => (ChangeKind.Td, call.Td, (int)TdField.OpStateLock),
        LockId.SeptTree => (ChangeKind.Td, call.Td, (int)TdField.SeptTreeLock),
        LockId.Epoch => (ChangeKind.Td, call.Td, (int)TdField.EpochLock),
        LockId.SeptEntry => (ChangeKind.Entry, call.Entry.Table, call.Entry.Index),
        // The children are locked in turn: those before this one are held, or this one was the last.
        LockId.SeptChildren => (ChangeKind.Entry, call.Value.Target, (int)call.Sample - (call.FailedStep == 0 ? 1 : 0)),
        LockId.Kot => (ChangeKind.Global, 0, (int)GlobalField.KotLock),
        LockId.WritebackMutex => (ChangeKind.Global, 0, (int)GlobalField.WritebackMutex),
        _ => PamtWord(id, call),
    };

    /// <summary>
    /// The word of a lock that the current call asks for is held: at all, and exclusively. By another processor, or by the
    /// same call, where two of its operands are one page.
    /// </summary>
    public static (bool Held, bool Exclusively) Against(ConcurrentView view, LockId wanted, in Call call)
    {
        (ChangeKind, int, int) word = Word(wanted, call);
        bool held = false;
        for (int lp = 0; lp < view.Agents.Length; lp++)
        {
            if (!view.Agents[lp].IsBusy)
                continue;
            ref Agent agent = ref view.Agents[lp];
            for (uint bits = (uint)agent.Call.Held; bits != 0; bits &= bits - 1)
            {
                var id = (LockId)BitOperations.TrailingZeroCount(bits);
                if ((lp == view.Current && id == wanted) || !Covers(id, agent.Call, word))
                    continue;
                if (agent.Call.HoldsExclusive(id))
                    return (true, true);
                held = true;
            }

            held |= KeepsForGuest(view.State, agent, word);
        }

        return (held, false);
    }

    // While its vCPU is in the guest, TDH.VP.ENTER keeps the TDVPR's PAMT entries and the TDR's shared (facts/locks.csv).
    private static bool KeepsForGuest(in BranchingState s, in Agent agent, (ChangeKind Kind, int Object, int Position) word)
    {
        bool isInside = agent.Phase is >= AgentPhase.InGuest and < AgentPhase.Exit || (agent.Phase == AgentPhase.Exit && agent.Step == 0);
        if (!isInside || word.Kind != ChangeKind.Pamt)
            return false;
        int tdvpr = (int)s.Vcpu(agent.Call.Vcpu, VcpuField.TdvprPage);
        for (int size = 0; size <= 2; size++)
        {
            if (word == PamtWord(PamtRef.Of(size, tdvpr)))
                return true;
        }

        return word == PamtWord(new PamtRef(0, (int)s.Pamt(new PamtRef(0, tdvpr), PamtField.Owner) - 1));
    }

    private static bool Covers(LockId id, in Call call, (ChangeKind Kind, int Object, int Position) word) => id == LockId.SeptChildren
        ? word.Kind == ChangeKind.Entry && word.Object == call.Value.Target && word.Position < (int)call.Sample
        : Word(id, call) == word;

    private static (ChangeKind Kind, int Object, int Position) PamtWord(LockId id, in Call call)
    {
        const int Sizes = 3;
        var slot = (PageSlot)((int)id / Sizes);
        int size = slot == PageSlot.Mapped ? call.Size[(int)slot] : (int)id % Sizes;
        return PamtWord(PamtRef.Of(size, call.Page[(int)slot]));
    }

    private static (ChangeKind Kind, int Object, int Position) PamtWord(PamtRef at) =>
        (ChangeKind.Pamt, at.Index, Change.PamtPosition(at.Size, PamtField.Lock));
}
