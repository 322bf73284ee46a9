using TdxVerify.Model;
using TdxVerify.Properties.Exploration;
using TdxVerify.Properties.Exploration.Liveness;
using Xunit;
using static TdxVerify.Tests.Exploration.ToySystem;

namespace TdxVerify.Tests.Exploration;

/// <summary>Livelock, starvation and agents trapped for good, on systems whose answer is known.</summary>
public sealed class LivenessTests
{
    private const int Everybody = -1;

    [Fact]
    public void Two_agents_with_one_try_lock_starve_under_weak_fairness_only()
    {
        Judged judged = Judge(new ToySystem(Uses(0), Uses(1)));

        judged.Has(LivenessFault.Starvation, Fairness.Weak, 0);
        judged.Has(LivenessFault.Starvation, Fairness.Weak, 1);
        judged.HasNot(Fairness.Strong);
    }

    [Fact]
    public void A_lock_that_is_never_released_traps_who_waits_for_it()
    {
        Judged judged = Judge(new ToySystem(TakesAndEnds, Uses(1)));

        judged.Has(LivenessFault.Trapped, Fairness.Weak, 1);
        judged.Has(LivenessFault.Livelock, Fairness.Strong, Everybody);
        judged.Has(LivenessFault.Starvation, Fairness.Strong, 1);
        Assert.DoesNotContain(judged.Findings, finding => finding is { Agent: 0, Fairness: Fairness.Strong });
    }

    [Fact]
    public void Locks_in_opposite_order_with_backing_off_livelock_under_weak_fairness_only()
    {
        Judged judged = Judge(new ToySystem(UsesBoth(0, first: 0, second: 1), UsesBoth(1, first: 1, second: 0)));

        judged.Has(LivenessFault.Livelock, Fairness.Weak, Everybody);
        judged.HasNot(Fairness.Strong);
    }

    [Fact]
    public void An_agent_that_waits_for_what_never_comes_starves_and_is_trapped()
    {
        Judged judged = Judge(new ToySystem(Uses(0), (ref int _, ICells cells, IChooser _) =>
            cells.Read(Lock(1)) == 0 ? new SystemStep(StepEnd.Blocked) : Moved(Completes, progressOf: 1)));

        judged.Has(LivenessFault.Starvation, Fairness.Strong, 1);
        judged.Has(LivenessFault.Trapped, Fairness.Weak, 1);
        Assert.DoesNotContain(judged.Findings, finding => finding.Agent == 0);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_agent_that_goes_on_by_an_interrupt_gets_on_if_interrupts_recur(bool recurs)
    {
        Judged judged = Judge(new ToySystem((ref int _, ICells _, IChooser chooser) =>
            chooser.Choose(2) == 0 ? Moved(Begins) : Moved(recurs ? StepTraits.Recurring : StepTraits.None, progressOf: 0)));

        if (recurs)
            Assert.Empty(judged.Findings);
        else
            judged.Has(LivenessFault.Livelock, Fairness.Strong, Everybody);
    }

    [Fact]
    public void Loops_lead_back_to_where_they_begin_and_are_fair()
    {
        int loops = 0;
        foreach (ToySystem system in (ToySystem[])[new(Uses(0), Uses(1), Uses(2)), new(TakesAndEnds, Uses(1)), new(UsesBoth(0, 0, 1), UsesBoth(1, 1, 0))])
        {
            Judged judged = Judge(system);
            foreach (LivenessFinding finding in judged.Findings.Where(finding => finding.Lasso is not null))
            {
                loops++;
                judged.IsLoop(finding);
            }
        }

        Assert.True(loops >= 6, $"only {loops} loops were found");
    }

    private static ToyStep Uses(int agent) => (ref int local, ICells cells, IChooser _) =>
    {
        if (local == 0)
            return Try(ref local, cells, 0, taken: 1, refused: 0);
        cells.Write(Lock(0), 0);
        local = 0;
        return Moved(Completes, progressOf: agent);
    };

    private static ToyStep UsesBoth(int agent, int first, int second) => (ref int local, ICells cells, IChooser _) =>
    {
        switch (local)
        {
            case 0:
                return Try(ref local, cells, first, taken: 1, refused: 0);
            case 1:
                return Try(ref local, cells, second, taken: 3, refused: 2);
            case 2:
                cells.Write(Lock(first), 0);
                local = 0;
                return Moved(StepTraits.None);
            case 3:
                cells.Write(Lock(first), 0);
                local = 4;
                return Moved(StepTraits.None);
            default:
                cells.Write(Lock(second), 0);
                local = 0;
                return Moved(Completes, progressOf: agent);
        }
    };

    private static SystemStep TakesAndEnds(ref int local, ICells cells, IChooser chooser)
    {
        if (local == 1)
            return new SystemStep(StepEnd.Done);
        SystemStep tried = Try(ref local, cells, 0, taken: 1, refused: 0);
        return local == 1 ? Moved(Begins | Completes, progressOf: 0) : tried;
    }

    private static Judged Judge(ToySystem system)
    {
        using var search = new Search<int>(system, new SearchOptions { Workers = 1 });
        search.Run();
        Assert.True(search.IsComplete);
        StateGraph graph = StateGraph.Of(search);
        return new Judged(graph, LivenessCheck.Of(system, graph));
    }

    private sealed record Judged(StateGraph Graph, IReadOnlyList<LivenessFinding> Findings)
    {
        public void Has(LivenessFault fault, Fairness fairness, int agent) =>
            Assert.Contains(Findings, finding => finding.Fault == fault && finding.Agent == agent && (fault == LivenessFault.Trapped || finding.Fairness == fairness));

        public void HasNot(Fairness fairness) => Assert.DoesNotContain(Findings, finding => finding.Fault == LivenessFault.Trapped || finding.Fairness == fairness);

        // By hand: each step leads to the next state, nobody who could always step is left out, and no progress is made that must not be.
        public void IsLoop(LivenessFinding finding)
        {
            Lasso lasso = finding.Lasso!;
            uint served = 0;
            ulong events = 0;
            for (int i = 0; i < lasso.Loop.Count; i++)
            {
                Edge edge = Graph.From(lasso.Loop[i])[lasso.Steps[i]];
                Assert.Equal(lasso.Loop[(i + 1) % lasso.Loop.Count], edge.Target);
                served |= 1u << Graph.Kinds[edge.Kind].Agent;
                events |= Graph.Kinds[edge.Kind].Events;
                for (int agent = 0; agent < Graph.Agents; agent++)
                {
                    if (Graph.From(lasso.Loop[i]).ToArray().All(step => Graph.Kinds[step.Kind].Agent != agent))
                        served |= 1u << agent;
                }
            }

            Assert.Equal(lasso.Start, lasso.Loop[0]);
            Assert.Equal((1u << Graph.Agents) - 1, served);
            Assert.Equal(0UL, finding.Agent < 0 ? events : events >> finding.Agent & 1);
            Assert.True(lasso.IsFair(Graph, new Attempts(Graph), finding.Fairness));
        }
    }
}
