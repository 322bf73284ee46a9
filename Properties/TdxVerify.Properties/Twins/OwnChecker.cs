using System.Diagnostics;
using TdxVerify.Host;
using TdxVerify.Model;
using TdxVerify.Properties.Exploration;
using Thread = TdxVerify.Host.Thread;

namespace TdxVerify.Properties.Twins;

/// <summary>The scenario itself, searched with reductions off.</summary>
internal static class OwnChecker
{
    /// <summary>Searches.</summary>
    /// <param name="twin">The scenario.</param>
    /// <param name="workers">Threads.</param>
    /// <param name="expectedStates">About how many states there are; 0: nobody knows.</param>
    public static (CheckerResult Result, TimeSpan Elapsed) Run(Twin twin, int workers = 1, long expectedStates = 0)
    {
        var machine = new HostMachine(ScenarioTable.Find(twin.Scenario)!.Configuration);
        GC.Collect();
        long memory = ProcessCost.OwnMemory;
        ProcessCost.ForgetPeak();
        using var process = Process.GetCurrentProcess();
        TimeSpan before = process.TotalProcessorTime;
        using var search = new Search<Thread>(machine, new SearchOptions { Workers = workers, GoesOn = true, ExpectedStates = expectedStates });
        search.Run();
        process.Refresh();
        double seconds = (process.TotalProcessorTime - before).TotalSeconds;
        SearchProgress progress = search.Progress;
        bool held = !search.FoundViolation && search.Stuck is null && !twin.Never.Any(name => Occurred(search, name));
        var result = new CheckerResult(
            "tdxverify", progress.States, progress.Transitions, held, [.. twin.Cases.Where(one => Occurred(search, one.Event)).Select(one => one.Number)],
            seconds, ProcessCost.OwnPeak - memory);
        return (result, progress.Elapsed);
    }

    private static bool Occurred(Search<Thread> search, string name)
    {
        IReadOnlyList<SystemEvent> events = search.System.System.Events;
        for (int e = 0; e < events.Count; e++)
        {
            if (events[e].Name == name)
                return search.First(e) is not null;
        }

        throw new InvalidOperationException($"the scenario has no event '{name}'");
    }
}
