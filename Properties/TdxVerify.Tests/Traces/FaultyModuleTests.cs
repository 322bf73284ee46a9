using TdxVerify.Abi;
using TdxVerify.Hardware.Replay;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Traces;
using Xunit;

namespace TdxVerify.Tests.Traces;

/// <summary>
/// A recording of a module with one planted fault, a step of one leaf left out, is rejected at exactly the first line
/// where the fault shows.
/// </summary>
public sealed class FaultyModuleTests(Judging judging) : IClassFixture<Judging>
{
    // The workload, the leaf, the step left out, and the call whose answer shows it first.
    [Theory]
    [InlineData("epoch-tracking", "TDH.MEM.TRACK", "REFCOUNT of the previous epoch is 0", "TDH.MEM.TRACK")]
    [InlineData("epoch-tracking", "TDH.MEM.TRACK", "TD_EPOCH +1", "")]
    [InlineData("epoch-tracking", "TDH.MEM.RANGE.BLOCK", "BEPOCH of the page = epoch", "")]
    [InlineData("epoch-tracking", "TDH.VP.ENTER", "vCPU epoch = sample", "")]
    [InlineData("epoch-tracking", "TDH.MEM.PAGE.REMOVE", "if the entry and OP_STATE need TLB tracking: tracked", "TDH.MEM.PAGE.REMOVE")]
    [InlineData("epoch-tracking", "TD exit", "REFCOUNT[vCPU epoch & 1] -1", "TDH.MEM.TRACK")]
    [InlineData("zero-step", "guest memory access", "fault counter below the threshold: fault counter +1", "TDH.VP.ENTER")]
    [InlineData("zero-step", "guest memory access", "fault counter at the threshold: GPA appended", "TDH.VP.ENTER")]
    [InlineData("zero-step", "TDH.VP.ENTER", "if the list of faulting GPAs is not empty", "TDH.VP.ENTER")]
    [InlineData("held-locks", "TDH.MEM.PAGE.AUG", "S-EPT tree SHARED", "TDH.MEM.PAGE.AUG")]
    [InlineData("held-locks", "TDH.MEM.SEPT.REMOVE", "S-EPT tree EXCLUSIVE", "TDH.MEM.SEPT.REMOVE")]
    [InlineData("held-locks", "TDH.VP.ENTER", "OP_STATE SHARED", "TDH.VP.ENTER")]
    [InlineData("host-priority", "TDG.MEM.PAGE.ACCEPT", "S-EPT entry, guest flavour", "vCPU")]
    [InlineData("pages-4k", "TDH.MEM.PAGE.AUG", "new page type is PT_NDA at the level", "TDH.MEM.PAGE.AUG")]
    [InlineData("pages-4k", "TDH.MEM.PAGE.REMOVE", "PAMT type = PT_NDA", "")]
    [InlineData("pages-2m-promote-demote", "TDH.MEM.PAGE.PROMOTE", "S-EPT page PAMT type = PT_NDA", "")]
    [InlineData("pending-accept-ve", "TDG.MEM.PAGE.ACCEPT", "entry = MAPPED", "")]
    [InlineData("interrupted-accept", "TDG.MEM.PAGE.ACCEPT", "2 MiB: no interrupt is pending", "TDH.VP.ENTER")]
    [InlineData("teardown", "TDH.PHYMEM.PAGE.RECLAIM", "lifecycle is TD_TEARDOWN", "TDH.PHYMEM.PAGE.RECLAIM")]
    [InlineData("teardown", "TDH.VP.FLUSH", "associated vCPUs -1", "")]
    [InlineData("m1505-lifecycle", "TDH.MNG.CREATE", "PAMT type = PT_TDR", "")]
    public void A_step_left_out_is_found_where_it_first_shows(string workload, string leaf, string step, string firstShownBy)
    {
        TraceFile trace = Recordings.Load(workload);
        (List<TraceEvent> recording, TraceEvent wrong) = Record(trace, Faulty(trace.Header.Platform, leaf, step));
        TraceVerdict verdict = judging.Judge(trace.Header, recording);

        Assert.Equal((TraceOutcome.Rejected, wrong.Line, wrong.Sequence), (verdict.Outcome, verdict.Finding!.Line, verdict.Finding.Sequence));
        if (firstShownBy.Length > 0)
            Assert.Contains($"{firstShownBy} ", verdict.Finding.Reason, StringComparison.Ordinal);
    }

    private static ModelPort<ArraysState> Faulty(PlatformInfo platform, string leafName, string step)
    {
        LeafSet<ArraysState> leaves = LeafSet<ArraysState>.Of(platform.Profile);
        Leaf<ArraysState> leaf = leaves.All.Single(candidate => candidate.Id.Name == leafName);
        Step<ArraysState> left = leaf.Steps.First(candidate => candidate.Text.StartsWith(step, StringComparison.Ordinal));
        return new ModelPort<ArraysState>(new ArraysState(platform), leaves.With(leaf.With(leaf.Steps.Remove(left))));
    }

    // What a recorder would write of this implementation, up to its first wrong answer; what follows stays as it was.
    private static (List<TraceEvent> Recording, TraceEvent Wrong) Record(TraceFile workload, ModelPort<ArraysState> module)
    {
        TraceEvent[] events = [.. workload.Sequences.SelectMany(sequence => sequence.Events)];
        var replayer = new PortReplayer(module);
        var recording = new List<TraceEvent>(events);
        for (int i = 0; i < events.Length; i++)
        {
            if (replayer.Step(events[i]) is not { } stop)
                continue;
            Assert.Equal(ReplayVerdict.Rejected, stop.Verdict);
            recording[i] = Answered(events[i], stop, module);
            return (recording, events[i]);
        }

        throw new InvalidOperationException("the fault does not show in this workload");
    }

    private static TraceEvent Answered(in TraceEvent e, ReplayStop stop, ModelPort<ArraysState> module)
    {
        switch (e.Kind)
        {
            case TraceEventKind.Seamcall:
                return TraceEvent.OfSeamcall(e.Lp, e.Input, stop.Actual!.Value);
            case TraceEventKind.Exit:
                return TraceEvent.OfExit(e.Lp, e.Input, stop.Actual!.Value);
            case TraceEventKind.Enter when e.Running:
                // The replay does not keep the registers of an entry that should have run; a wrong RAX is all that matters.
                return TraceEvent.OfEnter(e.Lp, e.Input, e.Input);
            case TraceEventKind.Enter:
                return stop.Actual is { } actual ? TraceEvent.OfEnter(e.Lp, e.Input, actual) : TraceEvent.OfEnter(e.Lp, e.Input);
            case TraceEventKind.GuestResult:
                module.GuestResult(e.Hpa, out GuestResult result);
                return e.HasOutput ? TraceEvent.OfGuestResult(e.Hpa, e.Input, result) : TraceEvent.OfGuestResult(e.Hpa, result.Completed, result.VirtualizationException);
            case TraceEventKind.Lock:
                return TraceEvent.OfLock(e.Lock, !e.Ok);
            default:
                throw new InvalidOperationException($"{e.Kind} has no answer that can be wrong");
        }
    }
}
