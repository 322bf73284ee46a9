using System.Globalization;
using TdxVerify.Properties.Explain;
using Xunit;

namespace TdxVerify.Tests.Explain;

/// <summary>The messages are Linux's, from arch/x86/virt/vmx/tdx/tdx.c and arch/x86/kvm/vmx/tdx.c of 6.16 to 6.19.</summary>
public sealed class KernelLogTests
{
    [Theory]
    [InlineData(
        "[   12.345678] virt/tdx: SEAMCALL (0x0000000000000023) failed: 0xc000050600000000",
        "TDX_SYS_SHUTDOWN TDH.SYS.LP.INIT - - -")]
    [InlineData(
        "virt/tdx: SEAMCALL (0x0000000000000007) failed: 0x8000020000000092",
        "TDX_OPERAND_BUSY(SEPT_TREE) TDH.MEM.RANGE.BLOCK - - -")]
    [InlineData(
        "virt/tdx: SEAMCALL (0x0000000000010003) failed: 0xc000010000000001",
        "TDX_OPERAND_INVALID(RCX) TDH.MEM.SEPT.ADD - - -")]
    [InlineData(
        "virt/tdx: SEAMCALL (0x0000000000000022) failed: 0xc000010000000002\nvirt/tdx: RCX 0x0000000000000001 RDX 0x0000000000000002 R08 0x0000000000000003\n"
        + "virt/tdx: R09 0x8000020000000092 R10 0x0000000000000000 R11 0x0000000000000000",
        "TDX_OPERAND_INVALID(RDX) TDH.SYS.RD 1 2 3")]
    [InlineData(
        "kvm_intel: SEAMCALL TDH_MEM_PAGE_AUG failed: 0xc0000b0d00000001, rcx 0x80000000000000b7, rdx 0x401",
        "TDX_EPT_ENTRY_STATE_INCORRECT(RCX) TDH.MEM.PAGE.AUG 80000000000000b7 401 -")]
    [InlineData(
        "kvm_intel: SEAMCALL TDH_MEM_PAGE_REMOVE failed: 0x8000020000000001, entry 0x8000000300000000, level_state 0x100",
        "TDX_OPERAND_BUSY(RCX) TDH.MEM.PAGE.REMOVE 8000000300000000 100 -")]
    [InlineData(
        "kvm_intel: SEAMCALL TDH_PHYMEM_PAGE_RECLAIM failed: 0xc000030000000001, rcx 0x3, rdx, 0x107c6000, r8 0x0",
        "TDX_PAGE_METADATA_INCORRECT(RCX) TDH.PHYMEM.PAGE.RECLAIM 3 107c6000 0")]
    [InlineData(
        "kvm_intel: TDH_VP_RD[VMCS.0x681e] failed 0x8000020000000082",
        "TDX_OPERAND_BUSY(TDVPR) TDH.VP.RD - - -")]
    [InlineData(
        "kvm_intel: TDH_VP_WR[VMCS.0x4002]&=0x80000200 failed: 0xc000070000000000",
        "TDX_VCPU_STATE_INCORRECT TDH.VP.WR - - -")]
    [InlineData(
        "tdh_mem_range_block failed, 0x8000020000000001",
        "TDX_OPERAND_BUSY(RCX) TDH.MEM.RANGE.BLOCK - - -")]
    [InlineData(
        "SEAMCALL[TDH_MEM_PAGE_AUG] failed 0xc0000b0d00000001, RCX 0x8000000000000000, RDX 0x0",
        "TDX_EPT_ENTRY_STATE_INCORRECT(RCX) TDH.MEM.PAGE.AUG 8000000000000000 0 -")]
    [InlineData(
        "tdh_phymem_page_wbinvd_tdr() returned 0x8000020000000001",
        "TDX_OPERAND_BUSY(RCX) TDH.PHYMEM.PAGE.WBINVD - - -")]
    [InlineData(
        "the second tdh_mem_track() gives us TDX_PREVIOUS_TLB_EPOCH_BUSY here",
        "TDX_PREVIOUS_TLB_EPOCH_BUSY TDH.MEM.TRACK - - -")]
    [InlineData(
        "so TDX_OPERAND_BUSY|TD_EPOCH from TDH.MEM.TRACK, and TDX_OPERAND_BUSY(SEPT_TREE).",
        "TDX_OPERAND_BUSY(TD_EPOCH) TDH.MEM.TRACK - - -;TDX_OPERAND_BUSY(SEPT_TREE) TDH.MEM.TRACK - - -")]
    [InlineData(
        "[    7.592823] tdx: SEAMCALL failed: CPU 94: leaf 33, error 0xc000092100000122.\n"
        + "[    7.592932] tdx: additional output: rcx 0x0, rdx 0x1, r8 0x2, r9 0x0, r10 0x0, r11 0x0.",
        "TDX_INCORRECT_MSR_VALUE(0x122) TDH.SYS.INIT 0 1 2")]
    [InlineData(
        "[  261.262866] SEAMCALL (0x000000000000001c) failed: 0xc000030000000001 RCX 0x0000000000000000 RDX 0x0000000000000000 R8 0x0000000000000000 R9 0x0",
        "TDX_PAGE_METADATA_INCORRECT(RCX) TDH.PHYMEM.PAGE.RECLAIM 0 0 0")]
    [InlineData(
        "[  896.749040] SEAMCALL[TDH_MEM_RD(12)] failed: Unknown SEAMCALL status code(0xe000060400000000)",
        "TDX_TD_FATAL TDH.MEM.RD - - -")]
    [InlineData("TDH.MNG.INIT failed with status: 0xc000010000000045", "TDX_OPERAND_INVALID(CPUID_CONFIG) TDH.MNG.INIT - - -")]
    [InlineData(
        "\"SEAMCALL (0x000000000000000f) failed: 0xc0000b0800000001\"; 0xc0000b0800000001 indicates the TDX_TLB_TRACKING_NOT_DONE",
        "TDX_TLB_TRACKING_NOT_DONE(RCX) TDH.MEM.PAGE.DEMOTE - - -")]
    [InlineData("err=8000020000000092", "TDX_OPERAND_BUSY(SEPT_TREE) - - - -")]
    [InlineData("err -9223369837831520110", "TDX_OPERAND_BUSY(SEPT_TREE) - - - -")]
    [InlineData("kvm: tdh_vp_enter ret 0x30", "TDX_SUCCESS(exit reason 48) TDH.VP.ENTER - - -")]
    [InlineData("SEAMCALL TDH_VP_FLUSH failed: 0x8000ff00ffff0000", "TDX_SEAMCALL_VMFAILINVALID TDH.VP.FLUSH - - -")]
    [InlineData("tdh_mem_page_demote failed: 0xc0000bff00000000", "0xc0000bff00000000 TDH.MEM.PAGE.DEMOTE - - -")]
    public void A_message_gives_its_statuses_with_leaf_and_registers(string text, string expected) =>
        Assert.Equal(expected.Split(';'), KernelLog.Find(text.Split('\n')).Select(Show));

    [Theory]
    [InlineData("RIP: 0010:tdx_sept_set_private_spte+0x4e/0x60 [kvm_intel]")]
    [InlineData("RAX: ffff888107c6a000 RBX: 8000020000000001 RCX: 0000000000000000")]
    [InlineData("kvm: failed 0xffffffea")]
    [InlineData("kvm: failed -22")]
    [InlineData("error 0xffff888107c6a000")]
    [InlineData("gpa 0x8000020000000001")]
    [InlineData("spte 0x8000020000000001")]
    [InlineData("mapped at 0x0000030200000000")]
    [InlineData("TDX_BUG_ON fired in TDX_MODULE")]
    [InlineData("tdx: module version 1.5.05, build 0x1")]
    [InlineData("virt/tdx: CMR: [0x8000020000000, 0xf000000000)")]
    [InlineData("virt/tdx: module initialization failed (-5)")]
    public void Numbers_that_only_look_like_a_status_are_left_alone(string text) =>
        Assert.Empty(KernelLog.Find([text]));

    [Fact]
    public void The_same_failure_again_is_counted_and_another_one_is_not_lost()
    {
        const string busy = "kvm_intel: SEAMCALL TDH_MEM_PAGE_REMOVE failed: 0x8000020000000001, rcx 0x0, rdx 0x0";
        const string other = "kvm_intel: SEAMCALL TDH_MEM_PAGE_REMOVE failed: 0x8000020000000001, rcx 0x0, rdx 0x401";

        IReadOnlyList<LogFinding> found = KernelLog.Find([busy, "", other, busy]);

        Assert.Equal([[1, 4], [3]], found.Select(finding => finding.Lines));
    }

    [Fact]
    public void Registers_far_below_a_status_are_not_its_registers()
    {
        LogFinding found = Assert.Single(KernelLog.Find(["SEAMCALL (0x7) failed: 0x8000020000000092", "", "", "RCX 0x1 RDX 0x2"]));

        Assert.Null(found.Rcx);
    }

    private static string Show(LogFinding finding) =>
        $"{finding.Query.Name} {finding.Leaf ?? "-"} {Hex(finding.Rcx)} {Hex(finding.Rdx)} {Hex(finding.R8)}";

    private static string Hex(ulong? value) => value?.ToString("x", CultureInfo.InvariantCulture) ?? "-";
}
