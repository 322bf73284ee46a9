using TdxVerify.Hardware.Replay;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Tests.Traces;
using Xunit;

namespace TdxVerify.Tests.Stepping;

/// <summary>A call carried out visible step by visible step, with nothing in between, answers as the atomic execution does.</summary>
public sealed class StepwiseTests
{
    public static TheoryData<string> Sequential => [.. Recordings.Sequential];

    [Theory]
    [MemberData(nameof(Sequential))]
    public void Stepwise_execution_gives_every_recorded_answer(string file)
    {
        TraceFile trace = TraceFile.Load(Recordings.FullPath(file));
        using var port = new StepwisePort<ArraysState>(new ArraysState(trace.Header.Platform), LeafSet<ArraysState>.Of(trace.Header.Platform.Profile));
        long accesses = 0;
        port.Machine.Observer = (Leaf<ArraysState> list, int step, bool visible, in Call call) => accesses += visible ? 1 : 0;

        ReplayResult result = new PortReplayer(port).Replay(trace);

        Assert.True(result.Stop is null, $"line {result.Stop?.Line}: {result.Stop?.Reason}");
        Assert.True(accesses > result.Calls, "calls were not carried out in several steps");
    }

    [Theory]
    [MemberData(nameof(Sequential))]
    public void A_call_answers_the_same_when_what_it_no_longer_needs_is_cleared(string file)
    {
        TraceFile trace = TraceFile.Load(Recordings.FullPath(file));
        using var port = new StepwisePort<ArraysState>(
            new ArraysState(trace.Header.Platform), LeafSet<ArraysState>.Of(trace.Header.Platform.Profile), trims: true);

        Assert.Null(new PortReplayer(port).Replay(trace).Stop);
    }

    [Theory]
    [MemberData(nameof(Sequential))]
    public void State_as_cells_gives_every_recorded_answer(string file)
    {
        TraceFile trace = TraceFile.Load(Recordings.FullPath(file));
        using var port = new ModelPort<CellState>(
            new CellState(trace.Header.Platform, new StoredCells()), LeafSet<CellState>.Of(trace.Header.Platform.Profile));

        Assert.Null(new PortReplayer(port).Replay(trace).Stop);
    }

    [Fact]
    public void What_is_taken_back_is_as_if_it_had_never_been()
    {
        TraceFile trace = Recordings.Load("mixed-long");
        LeafSet<BranchingState> leaves = LeafSet<BranchingState>.Of(trace.Header.Platform.Profile);
        using var port = new ModelPort<BranchingState>(new BranchingState(trace.Header.Platform), leaves);
        var replayer = new PortReplayer(port);
        long takenBack = 0;
        foreach (TraceSequence sequence in trace.Sequences)
        {
            for (int i = 0; i < sequence.Events.Length; i++)
            {
                ref readonly TraceEvent e = ref sequence.Events[i];
                if (e.Kind == TraceEventKind.Seamcall)
                    takenBack += CarryOutAndTakeBack(port, e);
                Assert.Null(replayer.Step(e));
            }
        }

        Assert.True(takenBack > 10_000);
    }

    // The recording goes on as if the call had not been made twice: so everything was taken back.
    private static int CarryOutAndTakeBack(ModelPort<BranchingState> port, in TraceEvent e)
    {
        if (e.Input.Rax == (ulong)Abi.HostLeaf.TDH_VP_ENTER)
            return 0;
        ref BranchingState state = ref port.Machine.State;
        (int mark, UInt128 hash) = (state.Mark, state.Hash);
        var machine = new AgentMachine<BranchingState>(port.Machine.Leaves);
        var agent = default(Agent);
        machine.Begin(ref state, ref agent, e.Lp, e.Input, ChoiceStatuses.SetOf(e.Output.Rax));
        while (agent.CanStep)
            machine.Step(ref state, ref agent);
        int changes = state.Mark - mark;
        state.GoBack(mark);
        Assert.Equal(hash, state.Hash);
        return changes;
    }
}
