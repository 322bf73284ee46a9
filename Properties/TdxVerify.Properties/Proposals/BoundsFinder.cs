using TdxVerify.Abi;
using TdxVerify.Host;
using TdxVerify.Host.Kvm;
using TdxVerify.Model;
using TdxVerify.Properties.Exploration.Liveness;

namespace TdxVerify.Properties.Proposals;

/// <summary>Finds the bounds of a system whose exploration is complete.</summary>
internal sealed class BoundsFinder(HostMachine machine, StateGraph graph)
{
    private readonly ulong _bailsOut = Bits(machine, happened => happened.Name == VcpuEnterGuest.BailsOut);
    private readonly ulong[] _progress =
        [.. machine.Agents.Select((_, agent) => Bits(machine, happened => happened.Kind == EventKind.Progress && happened.Agent == agent))];

    public Bounds Find() => new(
        OfAll((agent, kind) => Is(kind, agent, StepTraits.Refused) && IsSeamcall(kind), (agent, kind) => (Is(kind, agent, StepTraits.Completes) && IsSeamcall(kind)) || GetsOn(kind, agent)),
        OfAll((agent, kind) => Is(kind, agent, StepTraits.Begins) && ActionOf(kind) is KickAction, (agent, kind) => GetsOn(kind, agent)),
        OfAll((agent, kind) => Is(kind, agent, StepTraits.Refused) && IsEntry(kind), Enters),
        OfAll((agent, kind) => kind.Agent == agent && (kind.Events & _bailsOut) != 0, Enters));

    private static ulong Bits(HostMachine machine, Func<SystemEvent, bool> which) =>
        machine.Events.Select((happened, e) => which(happened) ? 1UL << e : 0).Aggregate(0UL, (all, bit) => all | bit);

    private static bool Is(EdgeKind kind, int agent, StepTraits trait) => kind.Agent == agent && kind.Is(trait);

    private Bound OfAll(Func<int, EdgeKind, bool> counts, Func<int, EdgeKind, bool> beginsAnew)
    {
        Bound all = Bound.Never;
        for (int agent = 0; agent < machine.Agents.Count; agent++)
        {
            int number = agent;
            CountedRun run = CountedRuns.Most(graph, kind => counts(number, kind), kind => beginsAnew(number, kind));
            all = all.With(new Bound(run.Most, run.Spins, run.IsEndless, IsProven: true));
        }

        return all;
    }

    private bool GetsOn(EdgeKind kind, int agent) => (kind.Events & _progress[agent]) != 0;

    private bool Enters(int agent, EdgeKind kind) => Is(kind, agent, StepTraits.Completes) && IsEntry(kind);

    private bool IsSeamcall(EdgeKind kind) => ActionOf(kind) is SeamcallAction { Leaf: not HostLeaf.TDH_VP_ENTER };

    // Before the guest runs; what the guest attempts is no entry.
    private bool IsEntry(EdgeKind kind) => machine.StateOfAttempt(kind.Number) is { InGuest: false, State.Action: SeamcallAction { Leaf: HostLeaf.TDH_VP_ENTER } };

    private HostAction ActionOf(EdgeKind kind) => machine.StateOfAttempt(kind.Number).State.Action;
}
