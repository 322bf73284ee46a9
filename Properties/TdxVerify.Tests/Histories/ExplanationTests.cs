using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Benchmarks;
using TdxVerify.Properties.Histories;
using TdxVerify.Tests.Traces;
using Xunit;

namespace TdxVerify.Tests.Histories;

/// <summary>
/// What the judge accepts it can show: an interleaving, which carried out step by step gives every recorded answer.
/// </summary>
public sealed class ExplanationTests
{
    private const int SequencesOfRecording = 8;

    // Nearly all take a fiftieth; where threads meet more densely, on a busy machine, a few a third and one took two thirds.
    private const long MostSteps = 20_000_000;

    [Theory]
    [MemberData(nameof(RecordingTests.Overlapping), MemberType = typeof(RecordingTests))]
    public void Carried_out_the_explanation_of_a_recording_gives_every_recorded_answer(string file)
    {
        TraceFile trace = TraceFile.Load(Recordings.FullPath(file));
        var judge = new HistoryJudge(trace.Header.Platform);
        foreach (TraceSequence sequence in trace.Sequences.Take(SequencesOfRecording))
        {
            judge.Reset();
            Assert.Null(judge.Judge(sequence.Events));

            new Rerun(trace.Header.Platform, sequence.Events).Make(judge.Explanation);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void Of_ten_thousand_calls_from_four_threads_an_explanation_is_found_soon_and_gives_every_recorded_answer(int seed)
    {
        var platform = new PlatformInfo();
        TraceEvent[] events = [.. HistoryBenchmark.Make(threads: 4, calls: 10_000, seed)];
        var judge = new HistoryJudge(platform, MostSteps);

        Assert.Null(judge.Judge(events));

        Assert.InRange(judge.Steps, 10_000, MostSteps);
        new Rerun(platform, events).Make(judge.Explanation);
    }

    [Fact]
    public void A_judgement_that_is_given_up_makes_no_further_step()
    {
        TraceFile trace = Recordings.Load("concurrent-one-page");
        var judge = new HistoryJudge(trace.Header.Platform);

        Assert.Throws<OperationCanceledException>(() => judge.Judge(trace.Sequences[0].Events, new CancellationToken(canceled: true)));

        Assert.Equal(0, judge.Steps);
    }

    // Carries steps out and nothing else: it neither searches nor takes anything back.
    private sealed class Rerun(PlatformInfo platform, TraceEvent[] events)
    {
        private readonly AgentMachine<BranchingState> _machine = new(LeafSet<BranchingState>.Of(platform.Profile), splitsLocks: true);
        private readonly Agent[] _agents = new Agent[platform.LpCount];
        private readonly int[] _calls = new int[platform.LpCount];
        private readonly HashSet<int> _passed = [];
        private BranchingState _state = new(platform);

        public void Make(IEnumerable<HistoryStep> steps)
        {
            int visible = 0;
            foreach (HistoryStep step in steps)
            {
                switch (step.Kind)
                {
                    case HistoryStepKind.Begin:
                        // A SEAMCALL that nothing overlaps with is one event, passed at its end.
                        if (events[step.Of].Kind == TraceEventKind.Begin)
                            Pass(step.Of);
                        Assert.False(_agents[step.Lp].IsBusy);
                        _calls[step.Lp] = step.Of;
                        _machine.Begin(ref _state, ref _agents[step.Lp], step.Lp, events[step.Of].Input, Choices(step.Of));
                        break;
                    case HistoryStepKind.Step:
                        Assert.Equal(_calls[step.Lp], step.Of);
                        _machine.Step(ref _state, ref _agents[step.Lp]);
                        visible++;
                        break;
                    case HistoryStepKind.End:
                        Pass(step.Of);
                        Assert.Equal((step.Of, AgentPhase.Ended), (step.Of, _agents[step.Lp].Phase));
                        Assert.Equal((step.Of, events[step.Of].Output), (step.Of, _agents[step.Lp].Answer));
                        _agents[step.Lp] = default;
                        break;
                    default:
                        Pass(step.Of);
                        Carry(step.Of);
                        break;
                }
            }

            Assert.Equal(events.Length, _passed.Count);
            Assert.True(visible > events.Length, "a call makes several steps");
        }

        // In the order of time; at one time in any order.
        private void Pass(int e)
        {
            Assert.True(_passed.Add(e), $"event {e} twice");
            for (int before = e - 1; before >= 0 && !_passed.Contains(before); before--)
                Assert.True(events[before].Time == events[e].Time || events[e].Kind is not (TraceEventKind.Begin or TraceEventKind.End), $"event {e} before {before}");
        }

        private uint Choices(int begin)
        {
            TraceEvent end = events[begin].Kind == TraceEventKind.Seamcall ? events[begin] : events.Skip(begin).First(e => e.Kind == TraceEventKind.End && e.Id == events[begin].Id);
            return ChoiceStatuses.SetOf(end.Output.Rax);
        }

        private void Carry(int e)
        {
            TraceEvent current = events[e];
            bool isThere = VcpuLookup<BranchingState>.TryFind(ref _state, current.Hpa, out int vcpu);
            switch (current.Kind)
            {
                case TraceEventKind.Reset:
                    break;
                case TraceEventKind.Guest when isThere:
                    _machine.Program(vcpu).Submit(current.GuestOperation);
                    break;
                case TraceEventKind.GuestResult when isThere:
                    GuestProgram program = _machine.Program(vcpu);
                    Assert.Equal((e, current.Completed, current.VirtualizationException), (e, program.Result.Completed, program.Result.VirtualizationException));
                    if (current.HasOutput)
                        Assert.Equal((e, current.Output), (e, program.Result.Registers));
                    break;
                case TraceEventKind.Write:
                    _state.WriteMemory(current.Hpa, current.BytesIn(new byte[Hpa.PageSize]));
                    break;
                case TraceEventKind.Interrupt:
                    _state.SetGlobal(GlobalField.InterruptPending, current.Pending ? 1UL : 0);
                    break;
                default:
                    Assert.False(isThere, $"event {e} is {current.Kind}");
                    break;
            }
        }
    }
}
