using System.Runtime.InteropServices;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Lanes;
using TdxVerify.Properties.Schedules;
using TdxVerify.Properties.Schedules.Laws;

namespace TdxVerify.Cli.Commands;

/// <summary><c>props --schedule</c> and the replay of what it found.</summary>
internal sealed class SchedulesCommand(Terminal terminal, string output, bool asJson)
{
    /// <summary>Runs random schedules until time is up or a law is broken.</summary>
    public int Run(ScheduleOptions options)
    {
        SavedFailure.CheckFolder(output);
        var campaign = new ScheduleCampaign(options);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => EndEarly(signal, campaign));
        using var termination = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => EndEarly(signal, campaign));
        var text = new SchedulesText(terminal, options);
        if (!asJson)
            text.WriteStart();
        ScheduleResult result = asJson ? campaign.Run() : text.RunWithProgress(campaign);
        return Report(options, result) is var status && status == ExitStatus.Held && campaign.WasStopped ? ExitStatus.Interrupted : status;
    }

    /// <summary>Carries out the schedules of one seed again.</summary>
    public int Replay(ScheduleOptions options, ulong seed) => Report(options, new ScheduleCampaign(options).RunSeed(seed));

    /// <summary>Follows a saved schedule, with all laws.</summary>
    public int Replay(TraceFile trace)
    {
        (ConcurrentPlan plan, IReadOnlyList<ScheduleRun> schedule) = ScheduleFile.Read(trace)!.Value;
        using var runner = new ConcurrentRunner(plan.Platform, LeafSet<BranchingState>.Of(plan.Platform.Profile), InterleavingLaws.Create());
        ScheduleOutcome outcome = runner.Run(plan, schedule);
        var failing = new FailingSchedule(plan, outcome);
        if (asJson)
            SchedulesJson.WriteReplay(terminal, failing, ScheduleStory.Tell(runner, failing));
        else
            new SchedulesText(terminal, new ScheduleOptions { Platform = plan.Platform }).WriteReplay(failing, ScheduleStory.Tell(runner, failing));
        return outcome.Failure is null ? ExitStatus.Held : ExitStatus.Broken;
    }

    // The first signal ends the run with its summary, the next one the process.
    private static void EndEarly(PosixSignalContext signal, ScheduleCampaign campaign)
    {
        signal.Cancel = !campaign.WasStopped;
        campaign.Stop();
    }

    private int Report(ScheduleOptions options, ScheduleResult result)
    {
        (string File, LaneDiagram Lanes)? saved = null;
        if (result.Found is { } found)
        {
            string file = Path.Combine(output, $"{found.Smallest.Outcome.Failure!.Law}-{found.Seed:x16}.jsonl");
            Directory.CreateDirectory(output);
            ScheduleFile.Write(file, found.Smallest);
            using var runner = new ConcurrentRunner(options.Platform, LeafSet<BranchingState>.Of(options.Platform.Profile), InterleavingLaws.Select(options.Laws));
            saved = (file, ScheduleStory.Tell(runner, found.Smallest));
        }

        if (asJson)
            SchedulesJson.Write(terminal, options, result, saved);
        else
            new SchedulesText(terminal, options).Write(result, saved);
        return result.Found is null ? ExitStatus.Held : ExitStatus.Broken;
    }
}
