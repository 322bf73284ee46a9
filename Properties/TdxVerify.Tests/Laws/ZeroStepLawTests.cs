using TdxVerify.Model;
using TdxVerify.Properties.Laws;
using Xunit;
using static TdxVerify.Tests.Laws.FaultyModel;

namespace TdxVerify.Tests.Laws;

/// <summary>The zero-step law catches faulty counting, and an instruction with the most legal faults never arms the mechanism.</summary>
public class ZeroStepLawTests
{
    private const ulong Rip = 0x40_1000;

    [Theory]
    [InlineData("guest memory access", "fault counter below the threshold", Fault.Dropped, "the zero-step counter of the vCPU is 0 after 1 counted violations")]
    [InlineData("guest memory access", "fault counter at the threshold", Fault.Dropped, "the vCPU's list of faulting GPAs has 0 entries, 1 were due")]
    [InlineData("guest memory access", "fault counter at the threshold", Fault.ThresholdMinus1, "the vCPU's list of faulting GPAs has 1 entries, 0 were due")]
    [InlineData("guest memory access", "VM exit: RIP differs", Fault.Dropped, "the zero-step counter of the vCPU is")]
    [InlineData("TDH.VP.ENTER", "every GPA of that list translates", Fault.Dropped, "of its list does not translate")]
    [InlineData("TDH.VP.ENTER", "if the list of faulting GPAs is not empty: S-EPT tree", Fault.Dropped, "did not take the S-EPT tree lock exclusively")]
    public void Faulty_counting_and_entering_are_noticed(string leaf, string step, Fault fault, string message) =>
        Assert.Contains(message, Complaint("zero-step", leaf, step, fault, sequences: 600), StringComparison.Ordinal);

    /// <summary>Two pages of the instruction and two of each of its two operands: 2 + 2 x 2 = 6 faults, in every order.</summary>
    [Fact]
    public void An_instruction_with_the_most_legal_faults_never_triggers_the_mechanism()
    {
        var td = new LawTd([new ZeroStepLaw()], pages: 6);
        foreach (int[] order in Orders(6))
        {
            td.BlockAll();
            for (int fault = 0; fault < order.Length; fault++)
            {
                Assert.Equal((ulong)ExitReason.EptViolation, td.Access(Rip, order[fault]).Rax);
                Assert.Equal((ulong)fault + 1, td.Vcpu(VcpuField.FaultCount));
                Assert.Equal(0UL, td.Vcpu(VcpuField.FaultListLength));
                td.Unblock(order[fault]);
            }

            Assert.Equal((ulong)ExitReason.Tdcall, td.Access(Rip, order[^1]).Rax);
            Assert.Equal(0UL, td.Vcpu(VcpuField.FaultCount));
        }

        Assert.Equal(720, td.Times("zero-step", "six violations, and not a seventh"));
        Assert.Equal(0, td.Times("zero-step", "7th violation logged"));
    }

    [Fact]
    public void A_seventh_violation_does_and_the_next_entry_waits_for_its_page()
    {
        var td = new LawTd([new ZeroStepLaw()], pages: 7);
        td.BlockAll();
        for (int page = 0; page < 7; page++)
        {
            Assert.Equal((ulong)ExitReason.EptViolation, td.Access(Rip, page).Rax);
            if (page < 6)
                td.Unblock(page);
        }

        Assert.Equal(1UL, td.Vcpu(VcpuField.FaultListLength));
        Assert.Equal(0x0002UL, td.Access(Rip, 6).Rcx);
        td.Unblock(6);
        Assert.Equal((ulong)ExitReason.Tdcall, td.Access(Rip, 6).Rax);
        Assert.Equal(1, td.Times("zero-step", "emulated violation"));
        Assert.Equal(1, td.Times("zero-step", "entry with the S-EPT tree exclusive"));
        Assert.Equal(1, td.Times("zero-step", "reset by forward progress"));
    }

    [Fact]
    public void Accepting_a_missing_page_any_number_of_times_never_triggers_the_mechanism()
    {
        var td = new LawTd([new ZeroStepLaw()], pages: 1);
        for (int i = 0; i < 100; i++)
            Assert.Equal((ulong)ExitReason.EptViolation, td.Accept(Rip, LawTd.Unmapped).Rax);
        Assert.Equal(0UL, td.Vcpu(VcpuField.FaultCount));
    }

    private static IEnumerable<int[]> Orders(int count)
    {
        if (count == 0)
            return [[]];
        return Orders(count - 1).SelectMany(order => Enumerable.Range(0, count).Select(place => (int[])[.. order[..place], count - 1, .. order[place..]]));
    }
}
