using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Properties.Targets;
using TdxVerify.Properties.Traces;
using TdxVerify.Tests.Hardware;
using Xunit;

namespace TdxVerify.Tests.Traces;

/// <summary>What is valid but not modelled is out of scope at its line: neither accepted nor rejected.</summary>
public sealed class OutOfScopeTests(Judging judging) : IClassFixture<Judging>
{
    private static readonly TraceHeader s_header = new() { Implementation = "by hand", Platform = new PlatformInfo { PageCount = 4096 } };

    public static TheoryData<string> Targets => ["model", "reference"];

    [Theory]
    [MemberData(nameof(Targets))]
    public void A_leaf_that_is_not_modelled(string target)
    {
        var input = new RegisterFile { Rax = (ulong)HostLeaf.TDH_MEM_RD, Rcx = 0x4000_0000, Rdx = 0x1_0000_0000 };
        TraceVerdict verdict = judging.Judge(s_header, [TraceEvent.OfReset(3), TraceEvent.OfSeamcall(0, input, input)], PortTarget.Parse(target));

        Assert.Equal((TraceOutcome.OutOfScope, 3, 3), (verdict.Outcome, verdict.Finding!.Line, verdict.Finding.Sequence));
        Assert.Equal("TDH.MEM.RD is not modelled", verdict.Finding.Reason);
    }

    // The model learns of it when the guest runs; a port may refuse the operation before.
    [Theory]
    [InlineData("model", TraceEventKind.Seamcall)]
    [InlineData("reference", TraceEventKind.Guest)]
    public void A_guest_that_calls_a_leaf_that_is_not_modelled(string target, TraceEventKind where)
    {
        TraceFile trace = Recordings.Load("guest-tdcalls");
        TraceEvent[] events = [.. trace.Sequences[0].Events];
        int guest = Array.FindIndex(events, e => e is { Kind: TraceEventKind.Guest, Operation: GuestOperationKind.Tdcall });
        int stop = Array.FindIndex(events, guest, e => e.Kind == where);
        events[guest].Input.Rax = (ulong)GuestLeaf.TDG_MR_REPORT;
        TraceVerdict verdict = judging.Judge(trace.Header, events, PortTarget.Parse(target));

        Assert.Equal((TraceOutcome.OutOfScope, stop + 2), (verdict.Outcome, verdict.Finding!.Line));
        Assert.Contains("TDG.MR.REPORT", verdict.Finding.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Targets))]
    public void A_field_that_is_not_modelled(string target)
    {
        TraceFile trace = Recordings.Load("lifecycle");
        TraceEvent[] events = [.. trace.Sequences.First(sequence => sequence.Events.Any(IsFieldRead)).Events];
        int read = Array.FindIndex(events, IsFieldRead);
        // A CPUID value, which TD_PARAMS decides.
        events[read].Input.Rdx = events[read].Output.Rdx = 0x9410_0003_0000_0000;
        TraceVerdict verdict = judging.Judge(trace.Header, events[..(read + 1)], PortTarget.Parse(target));

        Assert.Equal((TraceOutcome.OutOfScope, read + 2), (verdict.Outcome, verdict.Finding!.Line));
        Assert.Contains("TDH.MNG.RD TD 0x", verdict.Finding.Reason, StringComparison.Ordinal);

        static bool IsFieldRead(TraceEvent e) => e.Kind == TraceEventKind.Seamcall && e.Input.Rax == (ulong)HostLeaf.TDH_MNG_RD && e.Output.Rax == 0;
    }

    [Fact]
    public void A_damaged_trace_is_unreadable_with_what_was_judged_before()
    {
        using var bytes = new MemoryStream([.. TraceText.Write(s_header, [TraceEvent.OfReset(0), TraceEvent.OfReset(1)]), .. "{\"e\":\"seamc"u8]);
        using var judge = new TraceJudge(PortTarget.Model);
        TraceVerdict verdict = judge.Judge(TraceInput.Of("cut.jsonl", bytes));

        Assert.Equal((TraceOutcome.Unreadable, 4, 2L), (verdict.Outcome, verdict.Finding!.Line, verdict.Sequences));
    }

    [Fact]
    public void A_platform_that_the_reference_cannot_have()
    {
        TraceVerdict verdict = judging.Judge(s_header with { Platform = s_header.Platform with { TdcsPages = 1 } }, [TraceEvent.OfReset(0)], PortTarget.Reference);

        Assert.Equal((TraceOutcome.OutOfScope, (int?)null), (verdict.Outcome, verdict.Finding!.Line));
        Assert.Contains("tdcsPages", verdict.Finding.Reason, StringComparison.Ordinal);
    }
}
