using TdxVerify.Model;

namespace TdxVerify.Properties.Schedules.Laws;

/// <summary>
/// A lock is refused only if at that moment it is held in a mode that excludes the one asked for, or, to a guest, if the
/// entry has host priority; and it is granted only if it is not. A call can stand in its own way: TDH.MEM.SEPT.ADD with the
/// TDR as the new page holds it shared and asks for it exclusively.
/// </summary>
public sealed class JustifiedBusyLaw() : InterleavingLaw("busy-is-justified", "A lock is refused if and only if it is held against the call that asks, or host priority keeps a guest away.")
{
    private readonly (int List, int Step)[] _refused = new (int, int)[32];

    /// <inheritdoc/>
    public override void Begin(ConcurrentView view) => Array.Clear(_refused);

    /// <inheritdoc/>
    public override string? AfterAccess(ConcurrentView view, Leaf<BranchingState> list, int step, in Call call)
    {
        // A momentary lock is held by nobody between two steps, and the call does not note which page it is of.
        if (list.Steps[step] is not { Kind: StepKind.Lock, Lock: { Mode: not LockMode.Momentary } wanted })
            return null;
        bool refused = call.FailedStep == step + 1;
        // What a refused call takes back, it takes back in a step of its own: the refusal was judged before.
        if (refused && _refused[view.Current] == (list.Index, step + 1))
            return null;
        _refused[view.Current] = refused ? (list.Index, step + 1) : default;
        if (!refused && !call.Holds(wanted.Id))
            return null;
        Judged++;
        bool exclusive = refused ? wanted.Mode != LockMode.Shared : call.HoldsExclusive(wanted.Id);
        (bool held, bool exclusively) = LockHolding.Against(view, wanted.Id, call);
        bool against = exclusive ? held : exclusively;
        if (refused && !against && wanted is { Id: LockId.SeptEntry, Mode: LockMode.Guest } && view.State.Entry(call.Entry).HasHostPriority)
            return null;
        return refused == against ? null : $"{list.Id.Name} step {step + 1} is {(refused ? "refused a lock that nobody holds against it" : "granted a lock that is held against it")}: {list.Steps[step].Text}";
    }
}
