using TdxVerify.Abi;
using TdxVerify.Host;
using TdxVerify.Host.Kvm;

namespace TdxVerify.Properties.LockMaps;

/// <summary>
/// A host program walked through without a machine: from each place to every place that may follow, calls of other
/// programs included. What a test answers is not known, but for statuses and codes that the program itself passes on.
/// </summary>
/// <remarks>
/// Sound: every run of the program is among the walks, so a lock that is held on all walks to a place is always held
/// there. The TD may be finalized between any two steps, unless a lock that the thread holds keeps the finalizer out.
/// </remarks>
internal static class ProgramWalk
{
    private static readonly ulong[] s_yesNo = [0, 1];
    private static readonly ulong[] s_sptes = [MirrorSpte.None, MirrorSpte.Frozen, MirrorSpte.FirstPresent];
    private static readonly ulong[] s_nothing = [0];

    /// <summary>Where a program begins.</summary>
    public static Place Begin(HostProgram program, bool isRunnable) => new(new Frame(program, 0, null), HeldLocks.None, isRunnable);

    /// <summary>Every place of a program, each with all that can be held there.</summary>
    public static HashSet<Place> Places(HostProgram program, HostFacts facts)
    {
        HashSet<Place> places = [Begin(program, false), Begin(program, true)];
        var left = new Queue<Place>(places);
        while (left.TryDequeue(out Place? place))
        {
            foreach (Place next in Next(place, facts))
            {
                if (places.Add(next))
                    left.Enqueue(next);
            }

            if (!place.IsRunnable && facts.MayBeFinalized(place.Held) && places.Add(place with { IsRunnable = true }))
                left.Enqueue(place with { IsRunnable = true });
        }

        return places;
    }

    /// <summary>The places that may follow.</summary>
    public static IEnumerable<Place> Next(Place place, HostFacts facts) => place.State.Action switch
    {
        DoneAction => [],
        CallAction call => [place with { Frame = new Frame(call.Program, 0, place.Frame) }],
        ReturnAction returned => Return(place, returned),
        SeamcallAction => place.State.Transitions.Select(transition => AfterCall(place, transition)),
        _ => Answers(place).SelectMany(answer => Follow(place, new Answer(new RegisterFile { Rax = answer }))
            .Select(to => Effects.Of(place, answer, facts) with { Frame = to })),
    };

    /// <summary>What follows a SEAMCALL that returned a status.</summary>
    public static Place? NextAfter(Place place, ulong status)
    {
        var last = new LastResult(null, status);
        return Follow(place, new Answer(new RegisterFile { Rax = status })).Select(to => (Place?)(place with { Frame = to, Last = last })).FirstOrDefault();
    }

    private static Place AfterCall(Place place, ProgramTransition transition) => place with
    {
        Frame = place.Frame.At(transition.To),
        Last = new LastResult(null, ReferenceEquals(transition.When.Holds, When.Success.Holds) ? Status.TDX_SUCCESS : null),
    };

    private static IEnumerable<Place> Return(Place place, ReturnAction returned)
    {
        if (place.Frame.Caller is not { } caller)
            return [];
        Place back = place with { Frame = caller };
        if (returned.IsPlain)
            return Follow(back, default).Select(to => back with { Frame = to });
        LastResult last = returned.Code is { } code ? new LastResult(code, null) : place.Last;
        back = back with { Last = last };
        IEnumerable<Frame> next = last switch
        {
            { Code: { } known } => Follow(back, new Answer(default, known)),
            { Status: { } status } => Follow(back, new Answer(new RegisterFile { Rax = status })),
            _ => back.State.Transitions.Where(transition => transition.When.Kinds.Contains(ResultKind.Status)).Select(transition => caller.At(transition.To)),
        };
        return next.Select(to => back with { Frame = to });
    }

    private static IEnumerable<Frame> Follow(Place place, Answer answer) =>
        place.State.Transitions.Where(transition => transition.When.Holds(answer)).Take(1).Select(transition => place.Frame.At(transition.To));

    private static ulong[] Answers(Place place) => place.State.Action switch
    {
        TestVariableAction { Variable: KvmVariables.Runnable, Value: 1 } => [place.IsRunnable ? 1UL : 0],
        TestVariableAction { Variable: KvmVariables.PreFaultAllowed, Value: 1 } when !place.IsRunnable => s_nothing,
        { Result: ResultKind.YesNo } => s_yesNo,
        { Result: ResultKind.Spte } => s_sptes,
        _ => s_nothing,
    };
}
