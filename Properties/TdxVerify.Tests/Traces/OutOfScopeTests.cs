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

    public static TheoryData<string, ModuleProfile, ulong, TraceOutcome> CpuidAnswers
    {
        get
        {
            var rows = new TheoryData<string, ModuleProfile, ulong, TraceOutcome>();
            foreach (ModuleProfile profile in ModuleProfiles.All.Select(each => each.Profile))
            {
                foreach (string target in (string[])["model", "reference"])
                {
                    rows.Add(target, profile, Status.TDX_SUCCESS, TraceOutcome.Accepted);
                    rows.Add(target, profile, Status.TDX_OPERAND_INVALID + (uint)OperandId.CPUID_CONFIG, TraceOutcome.OutOfScope);
                    rows.Add(target, profile, Status.TDX_INCORRECT_MSR_VALUE + 0x10A, TraceOutcome.OutOfScope);
                    rows.Add(target, profile, Status.TDX_OPERAND_INVALID + (uint)OperandId.ATTRIBUTES, TraceOutcome.Rejected);
                }
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(CpuidAnswers))]
    public void A_CPUID_configuration_that_the_processor_refused(string target, ModuleProfile profile, ulong answer, TraceOutcome outcome)
    {
        (TraceEvent[] events, int init) = TdInit(cpuid: 1, answer);
        TraceVerdict verdict = judging.Judge(HeaderOf(profile), events, PortTarget.Parse(target));

        Assert.Equal((outcome, outcome == TraceOutcome.Accepted ? null : init + 2), (verdict.Outcome, verdict.Finding?.Line));
    }

    [Theory]
    [MemberData(nameof(Targets))]
    public void Without_a_CPUID_configuration_there_is_none_to_refuse(string target)
    {
        (TraceEvent[] events, int init) = TdInit(cpuid: 0, Status.TDX_OPERAND_INVALID + (uint)OperandId.CPUID_CONFIG);
        TraceVerdict verdict = judging.Judge(s_header, events, PortTarget.Parse(target));

        Assert.Equal((TraceOutcome.Rejected, init + 2), (verdict.Outcome, verdict.Finding!.Line));
    }

    [Theory]
    [MemberData(nameof(Targets))]
    public void What_the_hardware_decided_is_accepted(string target)
    {
        (TraceEvent[] events, int init) = TdInit(cpuid: 0, Status.TDX_LIMIT_CPUID_MAXVAL_SET);

        Assert.Equal(TraceOutcome.Accepted, judging.Judge(s_header, events[..(init + 1)], PortTarget.Parse(target)).Outcome);
    }

    private static TraceHeader HeaderOf(ModuleProfile profile) => s_header with { Platform = s_header.Platform with { Profile = profile } };

    // A TD up to its TDH.MNG.INIT, as recorded, with a bit of the CPUID configuration and another answer.
    private static (TraceEvent[] Events, int Init) TdInit(byte cpuid, ulong answer)
    {
        const ulong parameters = 0x10000;
        List<TraceEvent> events = [TraceEvent.OfReset(0)];
        ulong tdr = s_header.Platform.PageBase;
        Call(HostLeaf.TDH_MNG_CREATE, tdr, (ulong)s_header.Platform.HkidFirst);
        Call(HostLeaf.TDH_MNG_KEY_CONFIG, tdr, 0);
        for (int i = 1; i <= s_header.Platform.TdcsPages; i++)
            Call(HostLeaf.TDH_MNG_ADDCX, tdr + ((ulong)i << Hpa.PageShift), tdr);
        var image = new byte[1024];
        (image[8], image[16], image[24], image[40], image[447]) = (3, 1, 0x1E, 40, cpuid);
        events.Add(TraceEvent.OfWrite(parameters, image));
        Call(HostLeaf.TDH_MNG_INIT, tdr, parameters, answer);
        return ([.. events], events.Count - 1);

        void Call(HostLeaf leaf, ulong rcx, ulong rdx, ulong rax = Status.TDX_SUCCESS)
        {
            var input = new RegisterFile { Rax = (ulong)leaf, Rcx = rcx, Rdx = rdx };
            RegisterFile output = input;
            output.Rax = rax;
            if (leaf == HostLeaf.TDH_MNG_INIT)
                output.Rcx = 0;
            events.Add(TraceEvent.OfSeamcall(0, input, output));
        }
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
