using TdxVerify.Abi;
using TdxVerify.Properties.Explain;
using Xunit;

namespace TdxVerify.Tests.Explain;

public sealed class StatusExplainerTests
{
    [Theory]
    [InlineData("0x8000020000000092", "operand SEPT_TREE (id 0x92)")]
    [InlineData("0x8000020000000000", "operand RAX (id 0x0)")]
    [InlineData("0x80000200000000ff", "operand unknown (id 0xff)")]
    [InlineData("TDX_OPERAND_BUSY", "")]
    [InlineData("TDX_TD_FATAL(0)", "")]
    [InlineData("0xC0000B0B00000001", "S-EPT level 1 (2 MiB)")]
    [InlineData("0x00000B0A00000000", "S-EPT level 0 (4 KiB)")]
    [InlineData("TDX_INCORRECT_MSR_VALUE(0x1A0)", "MSR 0x1a0")]
    [InlineData("TDX_X2APIC_ID_NOT_UNIQUE(0x10)", "x2APIC id 16")]
    [InlineData("TDX_L2_SEPT_WALK_FAILED(0x10002)", "L2 VM 1, level 2 (1 GiB)")]
    [InlineData("0x30", "VM exit reason 48, EPT_VIOLATION")]
    [InlineData("0x4d", "VM exit reason 77, TDCALL")]
    [InlineData("0x4000030", "VM exit reason 48, EPT_VIOLATION; bit 26: a bus lock was pre-empted")]
    [InlineData("0x6000000280000021", "VM exit reason 33, INVALID_STATE; bit 31: VM-entry failure")]
    [InlineData("0x0000000000000042", "VM exit reason 66, SPP_EVENT")]
    [InlineData("0x0000000000000023", "VM exit reason 35, not a VM exit reason")]
    public void Bits_31_to_0_are_decoded(string text, string expected) => Assert.Equal(expected, Explain(text).Detail);

    [Theory]
    [InlineData("TDX_SUCCESS", "nothing to retry: the call succeeded")]
    [InlineData("TDX_PAGE_ALREADY_FREE", "nothing to retry: it is information")]
    [InlineData("TDX_OPERAND_BUSY(RCX)", "yes:")]
    [InlineData("TDX_VCPU_ASSOCIATED", "only after")]
    [InlineData("TDX_TLB_TRACKING_NOT_DONE", "only after")]
    [InlineData("TDX_OPERAND_INVALID(RCX)", "no: the same call fails again")]
    [InlineData("TDX_NON_RECOVERABLE_VCPU", "no: this vCPU cannot")]
    [InlineData("TDX_NON_RECOVERABLE_TD", "no: the TD cannot run any more")]
    [InlineData("TDX_TD_FATAL", "no: the TD cannot run any more")]
    [InlineData("0x8000ff00ffff0000", "no: SEAMCALL itself does not work")]
    [InlineData("0xc0000bff00000000", "probably not: bit 62")]
    [InlineData("0x80000bff00000000", "probably: bit 62 is clear")]
    public void Whether_to_retry_is_said(string text, string expected) =>
        Assert.StartsWith(expected, Explain(text).RetryAdvice, StringComparison.Ordinal);

    [Fact]
    public void Every_status_that_asks_for_something_else_first_says_what() =>
        Assert.DoesNotContain(StatusTable.Rows, row => row.Retry == Retry.After && row.Note.Length == 0);

    [Fact]
    public void A_status_of_a_later_module_still_shows_its_class_and_flags()
    {
        StatusExplanation explanation = Explain("0xc0000bff00000000");

        Assert.Equal("Secure EPT / GPA", explanation.Class);
        Assert.Equal(["error (bit 63)", "non-recoverable (bit 62)"], explanation.Flags);
        Assert.Null(explanation.Retry);
    }

    [Fact]
    public void Linux_own_values_are_told_from_those_of_the_module()
    {
        StatusExplanation explanation = Explain("0x8000ff0000000006");

        Assert.Equal("TDX_SEAMCALL_UD", explanation.Query.Name);
        Assert.Contains("the TDX module did not answer", explanation.Kind, StringComparison.Ordinal);
        Assert.Contains("VMX operation", explanation.Note, StringComparison.Ordinal);
    }

    [Fact]
    public void Origins_are_asked_for_the_status_and_the_leaf()
    {
        var origins = new OneStep();
        var query = new StatusQuery(new StatusCode(Status.TDX_OPERAND_BUSY), AnyDetails: true);

        Assert.Single(StatusExplainer.Explain(query, "TDH.MEM.TRACK", origins).Origins);
        Assert.True(StatusExplainer.Explain(query, "TDH.MEM.TRACK", origins).LeafIsModelled);
        Assert.Empty(StatusExplainer.Explain(query, "TDH.MEM.RD", origins).Origins);
        Assert.False(StatusExplainer.Explain(query, "TDH.MEM.RD", origins).LeafIsModelled);
    }

    private static StatusExplanation Explain(string text)
    {
        Assert.True(StatusParser.TryParse(text, out StatusQuery query, out string problem), problem);
        return StatusExplainer.Explain(query, leaf: null, new NoStatusOrigins());
    }

    private sealed class OneStep : IStatusOrigins
    {
        private static readonly StatusOrigin s_step = new("TDH.MEM.TRACK", 8, "lock", "TD epoch, exclusive", 0x80000200000000A9, "");

        public IReadOnlyCollection<string> Leaves => [s_step.Leaf];

        public IReadOnlyList<StatusOrigin> Find(StatusQuery query, string? leaf) =>
            query.Matches(s_step.Status) && (leaf is null || leaf == s_step.Leaf) ? [s_step] : [];
    }
}
