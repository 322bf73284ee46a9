using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Runs;

namespace TdxVerify.Properties.Schedules;

/// <summary>
/// A failing schedule as a trace: the set-up, then the calls as <c>begin</c> and <c>end</c> events, and in the header the
/// schedule. <c>trace check</c> judges it as any history; a replay follows the schedule step by step.
/// </summary>
public static class ScheduleFile
{
    /// <summary>Writes a schedule.</summary>
    /// <param name="path">The file; gzip where it ends in .gz.</param>
    /// <param name="failing">The calls and the schedule.</param>
    public static void Write(string path, FailingSchedule failing)
    {
        ConcurrentPlan plan = failing.Plan;
        using var writer = TraceWriter.Create(path, new TraceHeader
        {
            Implementation = $"model of TDX module {plan.Platform.Profile.Name()}, stepwise",
            Platform = plan.Platform,
            Schedule = ScheduleRun.Text(InOrderOfBegin(failing.Outcome)),
        });
        writer.Write(TraceEvent.OfReset(0));
        var runner = new EventRunner(ModelPorts.Observed(plan.Platform), null, []);
        runner.Reset();
        foreach (PlannedEvent planned in plan.Setup)
        {
            TraceEvent e = planned.Event;
            runner.Step(ref e, planned.Choice, 0);
            if (!runner.Last.Happened)
                continue;
            writer.Write(e);
            if (runner.LastGuestResult is { } result)
                writer.Write(result);
        }

        foreach ((long time, CallEnding call, bool ends) in Moments(failing.Outcome))
            Write(writer, plan.Calls[call.Call], call, Id(failing.Outcome, call), time, ends);
    }

    /// <summary>The calls and the schedule of a trace; null: it has none.</summary>
    /// <exception cref="InputException">The schedule is not one, or does not fit the calls.</exception>
    public static (ConcurrentPlan Plan, IReadOnlyList<ScheduleRun> Schedule)? Read(TraceFile trace)
    {
        if (trace.Header.Schedule is not { } text)
            return null;
        IReadOnlyList<ScheduleRun> schedule = ScheduleRun.Parse(text) ?? throw new InputException($"{trace.Path}:1: the schedule is not a list such as a24 b7 a3");
        var setup = new List<PlannedEvent>();
        var calls = new List<ConcurrentCall>();
        TraceEvent[] events = [.. trace.Sequences.SelectMany(sequence => sequence.Events)];
        for (int i = 0; i < events.Length; i++)
        {
            TraceEvent e = events[i];
            bool isOfCall = e.Kind == TraceEventKind.Guest && i + 1 < events.Length && events[i + 1].Kind == TraceEventKind.Begin;
            if (e.Kind == TraceEventKind.Begin)
                calls.Add(new ConcurrentCall(e.Lp, e.Input, ChoiceOf(events, e), i > 0 && events[i - 1].Kind == TraceEventKind.Guest ? events[i - 1] : null));
            else if (!isOfCall && calls.Count == 0 && e.Kind is TraceEventKind.Seamcall or TraceEventKind.Guest or TraceEventKind.Write or TraceEventKind.Interrupt)
                setup.Add(PlannedEvent.AsAnswered(e));
        }

        return schedule.All(run => run.Call < calls.Count)
            ? (new ConcurrentPlan(trace.Header.Platform, setup, calls), schedule)
            : throw new InputException($"{trace.Path}:1: the schedule names more calls than begin in the trace");
    }

    private static ChoicePoint ChoiceOf(TraceEvent[] events, TraceEvent begin)
    {
        int end = Array.FindIndex(events, e => e.Kind == TraceEventKind.End && e.Id == begin.Id);
        return end >= 0 && ChoiceStatuses.Find(events[end].Output.Rax) is { } choice ? choice : ChoicePoint.None;
    }

    // The calls of a trace are counted as they begin.
    private static IEnumerable<ScheduleRun> InOrderOfBegin(ScheduleOutcome outcome) =>
        outcome.Schedule.Select(run => run with { Call = outcome.Calls.ToList().FindIndex(call => call.Call == run.Call) });

    private static long Id(ScheduleOutcome outcome, CallEnding call) => outcome.Calls.ToList().IndexOf(call) + 1;

    // After so many steps a call has ended, before the next step another one begins.
    private static IEnumerable<(long Time, CallEnding Call, bool Ends)> Moments(ScheduleOutcome outcome) => outcome.Calls
        .Select(call => ((2L * call.Began) + 1, call, false))
        .Concat(outcome.Calls.Where(call => call.Ended >= 0).Select(call => (2L * call.Ended, call, true)))
        .OrderBy(moment => moment.Item1);

    private static void Write(TraceWriter writer, ConcurrentCall call, CallEnding ending, long id, long time, bool ends)
    {
        var e = new TraceEvent { Kind = ends ? TraceEventKind.End : TraceEventKind.Begin, Id = id, Lp = call.Lp, Time = time, Input = call.Registers };
        if (!ends)
        {
            if (ending.IsToldToGuest)
                writer.Write(call.Guest!.Value);
            writer.Write(e);
            return;
        }

        e.Answer(ending.Answer);
        writer.Write(e);
        if (!ending.Guest.WasSubmitted)
            return;
        ulong tdvpr = call.Registers.Rcx;
        writer.Write(ending.Guest.TdcallReturned
            ? TraceEvent.OfGuestResult(tdvpr, ending.Guest.Operation.Registers, ending.Guest.Result)
            : TraceEvent.OfGuestResult(tdvpr, ending.Guest.Result.Completed, ending.Guest.Result.VirtualizationException));
    }
}
