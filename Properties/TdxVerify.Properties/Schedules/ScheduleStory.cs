using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Lanes;

namespace TdxVerify.Properties.Schedules;

/// <summary>Carries a failing schedule out again and tells it as lanes.</summary>
public static class ScheduleStory
{
    /// <summary>The lanes: one event for each run of steps.</summary>
    /// <param name="runner">A runner with the laws.</param>
    /// <param name="failing">What to tell.</param>
    public static LaneDiagram Tell(ConcurrentRunner runner, FailingSchedule failing)
    {
        ConcurrentPlan plan = failing.Plan;
        int[] lps = [.. plan.Calls.Select(call => call.Lp).Distinct().Order()];
        var listener = new Listener(call => Array.IndexOf(lps, plan.Calls[call].Lp), call => lps.Length < plan.Calls.Count ? $"{Text(plan.Calls[call])}: " : "");
        runner.Listener = listener;
        ScheduleOutcome outcome = runner.Run(plan, failing.Outcome.Schedule);
        runner.Listener = null;
        var items = new List<LaneItem> { new LaneNote($"start: after {plan.Setup.Count} events, one after the other") };
        items.AddRange(listener.Events(outcome));
        if (outcome.Failure is { } failure)
            items.Add(new LaneNote($"{failure.Law} is broken: {failure.Reason}"));
        return new LaneDiagram(
            outcome.Failure is { } broken ? $"{broken.Law} is broken: {broken.Reason}" : "all laws hold",
            [.. lps.Select(lp => $"LP {lp}: {string.Join("; then ", plan.Calls.Where(call => call.Lp == lp).Select(Text))}")],
            items);
    }

    private static string Text(ConcurrentCall call)
    {
        string text = TraceEventText.Describe(TraceEvent.OfSeamcall(call.Lp, call.Registers, call.Registers));
        string guest = call.Guest is { } operation ? $", told to {TraceEventText.Operation(operation)}" : "";
        return text[(text.IndexOf(": ", StringComparison.Ordinal) + 2)..] + guest;
    }

    private sealed class Listener(Func<int, int> laneOf, Func<int, string> nameOf) : IScheduleListener
    {
        private const string Answer = "\0";

        private readonly StepNarrator<BranchingState> _narrator = new();
        private readonly HashSet<int> _begun = [];
        private readonly List<(int Call, LaneEvent Event)> _events = [];

        public void Accessed(Leaf<BranchingState> list, int step, bool visible, in Call call) => _narrator.Observe(list, step, visible, call);

        public void RunEnds(ScheduleRun run, in Agent agent)
        {
            bool begins = _begun.Add(run.Call);
            LaneEvent told = _narrator.Finish(laneOf(run.Call), agent, () => Answer, begins);
            _events.Add((run.Call, begins ? told with { Text = nameOf(run.Call) + told.Text } : told));
        }

        // How a call ended is known only when the run is over.
        public IEnumerable<LaneEvent> Events(ScheduleOutcome outcome) => _events.Select(told =>
        {
            if (!told.Event.Text.Contains(Answer, StringComparison.Ordinal))
                return told.Event;
            CallEnding ending = outcome.Calls.First(call => call.Call == told.Call);
            LaneTone tone = ending.BusyStatus != 0 ? LaneTone.Refused : ending.Answer.Rax == 0 ? LaneTone.Good : LaneTone.Plain;
            return told.Event with { Text = told.Event.Text.Replace(Answer, ending.Text, StringComparison.Ordinal), Tone = tone };
        });
    }
}
