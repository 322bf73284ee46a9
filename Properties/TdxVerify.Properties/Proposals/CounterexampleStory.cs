using TdxVerify.Properties.Explain;
using TdxVerify.Properties.Exploration.Reports;
using TdxVerify.Properties.Lanes;

namespace TdxVerify.Properties.Proposals;

/// <summary>Tells a counterexample in words: where it happens, what was refused on the way, and what it ends in.</summary>
public static class CounterexampleStory
{
    private const int MostRefusals = 6;

    /// <summary>The sentences.</summary>
    public static IEnumerable<string> Of(Refutation refutation) =>
        Of(refutation.Finding.Run, $"{refutation.In.Configuration.Name}: {refutation.In.Configuration.What}");

    /// <summary>The sentences.</summary>
    /// <param name="run">The run.</param>
    /// <param name="where">What happens in the configuration, as a sentence.</param>
    public static IEnumerable<string> Of(Counterexample run, string where)
    {
        yield return where;
        LaneDiagram lanes = run.Lanes;
        LaneRepeat? loop = lanes.Items.OfType<LaneRepeat>().FirstOrDefault(repeat => repeat.Times == LaneRepeat.ForEver);
        LaneEvent[] events = [.. Events(loop is null ? lanes.Items : loop.Items)];
        string[] refusals = [.. events.Where(e => e.Tone == LaneTone.Refused).Select(e => Tell(lanes, e)).Distinct()];
        if (refusals.Length > 0)
        {
            string more = refusals.Length > MostRefusals ? $" (and {refusals.Length - MostRefusals} more before)" : "";
            yield return $"Refused{(loop is null ? " on the way" : " in each round of the loop")}{more}: {string.Join("; ", refusals.TakeLast(MostRefusals))}.";
        }

        yield return loop is not null
            ? $"After {Events(lanes.Items).Count() - events.Length} events comes a loop of {events.Length} that can go on for ever, with {Counted.Of(run.ContextSwitches, "change")} of who runs in all: {run.Property}."
            : events is [.., var last]
                ? $"It ends, after {Counted.Of(run.Steps, "step")} and {Counted.Of(run.ContextSwitches, "change")} of who runs, with {Tell(lanes, last)}."
                : $"At the start: {run.Property}.";
        if (loop is null && events is not [.., { Tone: LaneTone.Bad }])
            yield return $"From there on {run.Property}.";
    }

    private static string Tell(LaneDiagram lanes, LaneEvent e) => $"{lanes.Lanes[e.Lane]}: {e.Text}{(e.Detail.Length > 0 ? $" ({e.Detail})" : "")}";

    private static IEnumerable<LaneEvent> Events(IEnumerable<LaneItem> items) => items.SelectMany(item => item switch
    {
        LaneEvent e => [e],
        LaneRepeat repeat => Events(repeat.Items),
        _ => Enumerable.Empty<LaneEvent>(),
    });
}
