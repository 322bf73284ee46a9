using TdxVerify.Properties.Exploration;
using Xunit;

namespace TdxVerify.Tests.Exploration;

/// <summary>The search against the plainest one, on 1,000 random small systems; and its reductions against itself.</summary>
public sealed class SearchTests
{
    private const int Systems = 1000;

    [Fact]
    public void All_states_and_steps_are_found_whatever_the_number_of_workers()
    {
        int large = 0;
        for (int seed = 0; seed < Systems; seed++)
        {
            var system = new RandomSystem(seed);
            var plain = new PlainSearch(system);
            foreach (int workers in (int[])[1, 3])
            {
                using Search<int> search = Run(system, new SearchOptions { Workers = workers });
                Assert.True(
                    (search.IsComplete, search.Progress.States, search.Progress.Transitions, search.SeenEvents, search.Stuck is not null)
                    == (true, plain.States, plain.Transitions, plain.Events, plain.HasStuck), $"seed {seed}, {workers} workers");
            }

            large += plain.States > 100 ? 1 : 0;
        }

        Assert.True(large > Systems / 10, $"only {large} systems are large enough to mean something");
    }

    [Fact]
    public void Partial_order_keeps_every_event_and_every_place_where_nobody_can_go_on()
    {
        int smaller = 0;
        for (int seed = 0; seed < Systems; seed++)
            smaller += KeepsVerdicts(seed, new SearchOptions { Workers = 1, PartialOrder = true }) ? 1 : 0;
        Assert.True(smaller > Systems / 10, $"only {smaller} systems became smaller");
    }

    [Fact]
    public void Symmetry_keeps_every_event_and_every_place_where_nobody_can_go_on()
    {
        int smaller = 0;
        for (int seed = 0; seed < Systems; seed++)
            smaller += KeepsVerdicts(seed, new SearchOptions { Workers = 1, Symmetry = true }) ? 1 : 0;
        Assert.True(smaller > Systems / 4, $"only {smaller} systems became smaller");
    }

    [Fact]
    public void Both_reductions_together_keep_every_event()
    {
        for (int seed = 0; seed < Systems; seed++)
            KeepsVerdicts(seed, new SearchOptions { Workers = 2, Symmetry = true, PartialOrder = true });
    }

    [Fact]
    public void The_first_occurrence_of_an_event_is_as_early_as_it_can_be()
    {
        for (int seed = 0; seed < 100; seed++)
        {
            using Search<int> search = Run(new RandomSystem(seed), new SearchOptions { Workers = 2 });
            for (int e = 0; e < 6; e++)
            {
                if (search.First(e) is { } first)
                    Assert.Equal(first.Depth, Trail<int>.To(search, e).Count);
            }
        }
    }

    [Fact]
    public void A_search_that_would_need_more_memory_than_allowed_ends_incomplete()
    {
        RandomSystem large = Enumerable.Range(0, Systems).Select(seed => new RandomSystem(seed)).First(system => new PlainSearch(system).States > 1000);
        using Search<int> search = Run(large, new SearchOptions { Workers = 1, MemoryLimit = 1 });

        Assert.False(search.IsComplete && search.Set.Bytes > 1 && search.Progress.States > 20_000);
    }

    private static Search<int> Run(RandomSystem system, SearchOptions options)
    {
        var search = new Search<int>(system, options with { EndsRuns = true }, system);
        search.Run();
        return search;
    }

    // True: fewer states were needed.
    private static bool KeepsVerdicts(int seed, SearchOptions options)
    {
        var system = new RandomSystem(seed);
        using Search<int> all = Run(system, new SearchOptions { Workers = 1 });
        using Search<int> reduced = Run(system, options);
        Assert.True(
            (reduced.IsComplete, reduced.SeenEvents, reduced.Stuck is not null) == (true, all.SeenEvents, all.Stuck is not null), $"seed {seed}");
        Assert.True(reduced.Progress.States <= all.Progress.States, $"seed {seed}: more states");
        return reduced.Progress.States < all.Progress.States;
    }
}
