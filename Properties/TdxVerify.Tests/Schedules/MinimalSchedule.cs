using TdxVerify.Properties.Schedules;
using Xunit;

namespace TdxVerify.Tests.Schedules;

/// <summary>
/// That a failing schedule is minimal, by trying out all smaller ones: every order of the calls, with a switch after any
/// number of steps.
/// </summary>
internal sealed class MinimalSchedule(ConcurrentRunner runner, FailingSchedule found)
{
    /// <summary>Without any one of the calls no schedule of the others with as many switches fails alike.</summary>
    public void NoCallCanGo()
    {
        for (int call = 0; call < found.Plan.Calls.Count; call++)
        {
            int left = call;
            ConcurrentPlan plan = found.Plan with { Calls = [.. found.Plan.Calls.Where((_, i) => i != left)] };
            ScheduleOutcome? failing = Failing(plan, found.Outcome.ContextSwitches);
            Assert.True(failing is null, $"call {call} can go: {ScheduleRun.Text(failing?.Schedule ?? [])}");
        }
    }

    /// <summary>No schedule of the same calls with fewer switches fails alike.</summary>
    public void NoFewerSwitchesDo()
    {
        ScheduleOutcome? failing = found.Outcome.ContextSwitches == 0 ? null : Failing(found.Plan, found.Outcome.ContextSwitches - 1);
        Assert.True(failing is null, $"it fails with fewer switches: {ScheduleRun.Text(failing?.Schedule ?? [])}");
    }

    private ScheduleOutcome? Failing(ConcurrentPlan plan, int switches) => Under(plan, [], switches).FirstOrDefault(outcome =>
        outcome.ContextSwitches <= switches && outcome.Failure is { } failure && failure.IsLike(found.Outcome.Failure!));

    // What becomes of all schedules that begin so.
    private IEnumerable<ScheduleOutcome> Under(ConcurrentPlan plan, ScheduleRun[] made, int switches)
    {
        for (int call = 0; call < plan.Calls.Count; call++)
        {
            if (made.Length > 0 && made[^1].Call == call)
                continue;
            ScheduleOutcome toTheEnd = runner.Run(plan, [.. made, new(call, ScheduleRun.ToTheEnd)]);
            yield return toTheEnd;
            int most = toTheEnd.Schedule.Count > made.Length && toTheEnd.Schedule[made.Length].Call == call ? toTheEnd.Schedule[made.Length].Steps : 0;
            for (int steps = 1; switches > 0 && steps <= most; steps++)
            {
                foreach (ScheduleOutcome outcome in Under(plan, [.. made, new(call, steps)], switches - 1))
                    yield return outcome;
            }
        }
    }
}
