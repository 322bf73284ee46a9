using System.Diagnostics;
using TdxVerify.Abi;
using TdxVerify.Hardware.Native;
using TdxVerify.Hardware.Replay;
using TdxVerify.Hardware.Trace;
using TdxVerify.Properties.Targets;

namespace TdxVerify.Properties.Traces;

/// <summary>
/// Judges recorded traces: replays the recorded inputs on a target (by default the model) and compares all answers.
/// Fast as long as the trace is accepted; a rejected one is replayed once more, on a model that can be looked at, to
/// explain it.
/// </summary>
public sealed class TraceJudge : IDisposable
{
    private readonly PortTarget _target;
    private readonly ModuleProfile? _profile;

    // Traces mostly share a platform or two, and a platform costs more to make than to reset.
    private readonly List<(PlatformInfo Platform, IPort Port)> _ports = [];

    /// <summary>A judge.</summary>
    /// <param name="target">Whose answers are compared with the recorded ones.</param>
    /// <param name="profile">The module version to judge by; null: what each trace says.</param>
    public TraceJudge(PortTarget target, ModuleProfile? profile = null)
    {
        _target = target;
        _profile = profile;
    }

    /// <summary>Judges one trace.</summary>
    /// <exception cref="NativePortException">The target is a library that cannot be used.</exception>
    public TraceVerdict Judge(TraceInput input)
    {
        long start = Stopwatch.GetTimestamp();
        PortReplayer? replayer = null;
        try
        {
            using TraceReader reader = input.Open();
            PlatformInfo platform = PlatformOf(reader.Header);
            IPort port = PortFor(platform);
            replayer = new PortReplayer(port, ChoiceFollower.Of(port));
            ReplayResult result = replayer.Replay(reader);
            if (_target == PortTarget.Model && result.Stop is { Verdict: ReplayVerdict.OutOfScope, Event.Kind: TraceEventKind.Begin })
                return JudgeHistory(input, platform, start);
            TimeSpan elapsed = Stopwatch.GetElapsedTime(start);
            return result.Stop is not { } stop
                ? Verdict(TraceOutcome.Accepted, null, elapsed)
                : stop.Verdict == ReplayVerdict.OutOfScope
                    ? Verdict(TraceOutcome.OutOfScope, OutOfScope(input, platform, stop), elapsed)
                    : Verdict(TraceOutcome.Rejected, Rejected(input, platform, stop, PlatformDifference.Describe(reader.Header.Platform, port.Platform) ?? ""), elapsed);
        }
        catch (TraceException e)
        {
            return Failed(TraceOutcome.Unreadable, e.Line > 0 ? e.Line : null, e.Fault);
        }
        catch (InputException e) when (e is not NativePortException)
        {
            return Failed(TraceOutcome.OutOfScope, null, e.Message);
        }

        TraceVerdict Failed(TraceOutcome outcome, int? line, string fault) =>
            Verdict(outcome, new TraceFinding(line, null, fault, null), Stopwatch.GetElapsedTime(start));

        TraceVerdict Verdict(TraceOutcome outcome, TraceFinding? finding, TimeSpan elapsed) => new(
            input.Name, outcome, replayer?.Sequences ?? 0, replayer?.Events ?? 0, replayer?.Calls ?? 0, elapsed, finding);
    }

    /// <inheritdoc/>
    public void Dispose() => _ports.ForEach(open => open.Port.Dispose());

    // Calls overlap: one after the other does not do.
    private static TraceVerdict JudgeHistory(TraceInput input, PlatformInfo platform, long start)
    {
        TraceFile trace;
        using (TraceReader reader = input.Open())
            trace = TraceFile.Load(reader);
        using var judge = new HistoryTraceJudge(platform);
        (TraceOutcome outcome, TraceFinding? finding) = judge.Judge(trace);
        return new TraceVerdict(input.Name, outcome, judge.Sequences, judge.Events, judge.Calls, Stopwatch.GetElapsedTime(start), finding);
    }

    private PlatformInfo PlatformOf(TraceHeader header) =>
        _profile is { } profile ? header.Platform with { Profile = profile } : header.Platform;

    private IPort PortFor(PlatformInfo platform)
    {
        int position = _ports.FindIndex(open => open.Platform == platform);
        if (position >= 0)
            return _ports[position].Port;
        if (_ports.Count == _target.MaxOpen)
        {
            _ports[0].Port.Dispose();
            _ports.RemoveAt(0);
        }

        IPort port = _target.Open(platform);
        _ports.Add((platform, port));
        return port;
    }

    private TraceFinding OutOfScope(TraceInput input, PlatformInfo platform, ReplayStop stop)
    {
        ModelReplay replay = ReplayUpTo(input, platform, stop, out _);
        bool modelled = stop.Event.Kind is not (TraceEventKind.Begin or TraceEventKind.End)
            && replay.Step(stop.Event) is not { Verdict: ReplayVerdict.OutOfScope };
        string reason = modelled ? $"{TraceEventText.Describe(stop.Event)}: {stop.Reason}" : replay.Unmodelled(stop.Event);
        return new TraceFinding(stop.Line, stop.Sequence, reason, null);
    }

    private TraceFinding Rejected(TraceInput input, PlatformInfo platform, ReplayStop stop, string platformNote)
    {
        string call = TraceEventText.Describe(stop.Event);
        return new TraceFinding(stop.Line, stop.Sequence, $"{call}: {stop.Reason}", Explain(input, platform, stop, call) with { PlatformNote = platformNote });
    }

    private Rejection Explain(TraceInput input, PlatformInfo platform, ReplayStop stop, string call)
    {
        ModelReplay replay = ReplayUpTo(input, platform, stop, out int disagreement);
        TraceEvent e = stop.Event;
        IReadOnlyList<State.StateLine> before = replay.Around(e);
        ReplayStop? model = replay.Step(e);
        return new Rejection
        {
            Call = call,
            Recorded = AnswerText.Recorded(e),
            Actual = Answer(e, stop),
            Registers = Compare(e, stop.Actual),
            Deciding = replay.Deciding(e),
            StateBefore = before,
            Changes = replay.Changes(),
            PlatformNote = "",
            ModelNote = _target == PortTarget.Model ? "" : ModelNote(stop, model, disagreement),
        };
    }

    // A file that is written to meanwhile may no longer have the line; then this is the state at its end.
    private static ModelReplay ReplayUpTo(TraceInput input, PlatformInfo platform, ReplayStop stop, out int disagreement)
    {
        var replay = new ModelReplay(platform);
        disagreement = 0;
        using TraceReader reader = input.Open();
        while (reader.Read() && reader.Current.Line < stop.Line)
        {
            if (reader.Current.Kind == TraceEventKind.Reset)
                disagreement = 0;
            if (replay.Step(reader.Current) is null)
                continue;
            replay.FollowRecording(reader.Current);
            disagreement = disagreement == 0 ? reader.Current.Line : disagreement;
        }

        return replay;
    }

    private static string Answer(in TraceEvent e, ReplayStop stop) =>
        stop.Actual is not { } actual ? stop.Reason
        : e.Kind == TraceEventKind.GuestResult ? AnswerText.Tdcall(e.Input, actual)
        : AnswerText.Seamcall(e.Input, actual);

    private static List<ComparedRegister> Compare(in TraceEvent e, RegisterFile? answer)
    {
        List<ComparedRegister> compared = [];
        if (answer is not { } actual)
            return compared;
        foreach (Register register in RegisterFile.All)
        {
            ulong input = e.Input[register];
            if (register == Register.Rax || actual[register] != input || e.Output[register] != input)
                compared.Add(new ComparedRegister(register, e.Output[register], actual[register]));
        }

        return compared;
    }

    private static string ModelNote(ReplayStop stop, ReplayStop? model, int disagreement)
    {
        string note = model is null ? "the model answers as recorded"
            : model.Actual is not null && model.Actual == stop.Actual ? "the model answers as the target does"
            : $"the model gives a third answer: {model.Reason}";
        return disagreement == 0
            ? note
            : $"{note}; it disagrees with the recording since line {disagreement}, so its state may be another";
    }
}
