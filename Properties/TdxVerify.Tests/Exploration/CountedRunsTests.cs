using TdxVerify.Model;
using TdxVerify.Properties.Exploration;
using TdxVerify.Properties.Exploration.Liveness;
using Xunit;

namespace TdxVerify.Tests.Exploration;

/// <summary>How often something happens in a row, on an agent that tries to take a lock and another that holds it now and then.</summary>
public sealed class CountedRunsTests
{
    [Theory]
    [InlineData(0, true, 0, false, false)]
    [InlineData(1, true, 1, false, false)]
    [InlineData(5, true, 5, false, false)]
    [InlineData(5, false, 5, false, false)]
    [InlineData(int.MaxValue, false, 0, true, false)]
    [InlineData(int.MaxValue, true, 0, true, true)]
    public void Refusals_in_a_row_are_as_many_as_the_loop_allows(int tries, bool holdsAgain, int most, bool spins, bool isEndless)
    {
        using var search = new Search<int>(new LockSystem(tries, holdsAgain), new SearchOptions { Workers = 1 });
        search.Run();

        CountedRun run = CountedRuns.Most(StateGraph.Of(search), kind => kind.Is(StepTraits.Refused), kind => kind.Is(StepTraits.Completes));

        Assert.Equal((spins, isEndless), (run.Spins, run.IsEndless));
        Assert.True(spins || run.Most == most, $"{run.Most}");
    }

    // Agent 0 tries up to a number of times and succeeds then in any case; agent 1 takes the lock and drops it, once or again and again.
    private sealed class LockSystem(int tries, bool holdsAgain) : ISystem<int>
    {
        private static readonly Cell s_lock = new(ChangeKind.Host, 0, 0);

        public IReadOnlyList<string> Agents => ["tries", "holds"];

        public IReadOnlyList<SystemEvent> Events => [];

        public int StartOf(int agent) => 0;

        public ulong StartOf(Cell cell) => 0;

        public SystemStep Step(int agent, ref int local, ICells cells, IChooser chooser)
        {
            ulong isHeld = cells.Read(s_lock);
            if (agent == 1)
            {
                if (local == 2)
                    return new SystemStep(StepEnd.Done);
                cells.Write(s_lock, 1 - isHeld);
                local = holdsAgain ? 1 - local : local + 1;
                return new SystemStep(StepEnd.Moved);
            }

            bool refused = isHeld != 0 && local < tries;
            local = refused && tries != int.MaxValue ? local + 1 : 0;
            return new SystemStep(StepEnd.Moved, 0, refused ? StepTraits.Refused : StepTraits.Completes);
        }

        public void Normalize(ISystemState<int> state)
        {
        }
    }
}
