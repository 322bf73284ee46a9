using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Properties.Traces;
using Xunit;

namespace TdxVerify.Tests.Traces;

/// <summary>Calls, answers and events as a person reads them.</summary>
public sealed class CallTextTests
{
    private const ulong EntryMapped = 0x8000_0001_0001_A0F7;

    public static TheoryData<TraceEvent, string> Events => new()
    {
        { TraceEvent.OfSeamcall(1, Registers(HostLeaf.TDH_MEM_PAGE_AUG, 0x4040_2000, 0x1_0000_0000, 0x1_0001_A000), default),
            "LP 1: TDH.MEM.PAGE.AUG GPA 0x40402000 level 0, TD 0x100000000, page 0x10001a000" },
        { TraceEvent.OfSeamcall(0, Registers(HostLeaf.TDH_MEM_RANGE_BLOCK, 0x4040_0FF9, 0x1_0000_0000), default),
            "LP 0: TDH.MEM.RANGE.BLOCK GPA 0x40400000 level 1 (reserved bits 0xff8), TD 0x100000000" },
        { TraceEvent.OfSeamcall(0, Registers(HostLeaf.TDH_MNG_CREATE, 0x1_0000_0000, 33), default),
            "LP 0: TDH.MNG.CREATE TDR page 0x100000000, HKID 33" },
        { TraceEvent.OfSeamcall(2, Registers(HostLeaf.TDH_MEM_TRACK, 0x1_0000_0000, 7), default),
            "LP 2: TDH.MEM.TRACK TD 0x100000000; also rdx=0x7" },
        { TraceEvent.OfSeamcall(2, Registers(HostLeaf.TDH_EXPORT_MEM, 1, 2), default),
            "LP 2: TDH.EXPORT.MEM rcx=0x1, rdx=0x2" },
        { TraceEvent.OfSeamcall(2, Registers((HostLeaf)0x7777, 1), default), "LP 2: SEAMCALL (rax 0x7777) rcx=0x1" },
        { TraceEvent.OfSeamcall(2, Registers((HostLeaf)0, 0x1_0000_0000) with { Rax = 0x1_0003 }, default),
            "LP 2: TDH.MEM.SEPT.ADD version 1 GPA 0x100000000 level 0, TD 0x0, S-EPT page 0x0" },
        { TraceEvent.OfEnter(3, Registers(HostLeaf.TDH_VP_ENTER, 0x1_0000_C000)), "LP 3: TDH.VP.ENTER vCPU 0x10000c000, up to the VM entry" },
        { TraceEvent.OfGuest(0x1_0000_C000, new GuestOperation { Kind = GuestOperationKind.Access, Access = GuestAccess.Read | GuestAccess.Write, Rip = 0x1000, Gpa = 0x2000 }),
            "vCPU 0x10000c000 will read and write GPA 0x2000 from RIP 0x1000" },
        { TraceEvent.OfGuest(0x1_0000_C000, new GuestOperation { Kind = GuestOperationKind.Tdcall, Rip = 0x1000, Registers = new RegisterFile { Rax = 6, Rcx = 0x4040_0001 } }),
            "vCPU 0x10000c000 will call TDG.MEM.PAGE.ACCEPT GPA 0x40400000 level 1, from RIP 0x1000" },
        { TraceEvent.OfLock(new LockOperation(PortLock.SeptEntry, false, true, 0x1_0000_0000, 0x4040_2001), true),
            "another vCPU takes the S-EPT entry lock of GPA 0x40402000 level 1, TD 0x100000000" },
        { TraceEvent.OfUnlock(new LockOperation(PortLock.OpState, true, false, 0x1_0000_0000), true),
            "another host call drops the OP_STATE lock of TD 0x100000000, exclusive" },
        { TraceEvent.OfFill(0x1000, 0xAB, 16), "the host fills 16 bytes at 0x1000 with 0xab" },
    };

    public static TheoryData<HostLeaf, RegisterFile, string> Answers => new()
    {
        { HostLeaf.TDH_MEM_PAGE_AUG, new() { Rax = Status.TDX_OPERAND_BUSY + (uint)OperandId.SEPT_TREE }, "TDX_OPERAND_BUSY(SEPT_TREE)" },
        { HostLeaf.TDH_MEM_PAGE_AUG, new() { Rax = Status.TDX_EPT_ENTRY_STATE_INCORRECT + 1, Rcx = EntryMapped, Rdx = 0x400 },
            "TDX_EPT_ENTRY_STATE_INCORRECT(RCX): entry MAPPED at level 0 (4 KiB), RWX, HPA 0x10001a000" },
        { HostLeaf.TDH_MEM_SEPT_RD, new() { Rcx = 7, Rdx = 0x8401 }, "TDX_SUCCESS: entry NL_MAPPED at level 1 (2 MiB), RWX" },
        { HostLeaf.TDH_MEM_PAGE_REMOVE, new() { Rcx = 0x1_0001_A000 }, "TDX_SUCCESS: page 0x10001a000" },
        { HostLeaf.TDH_PHYMEM_PAGE_RDMD, new() { Rcx = 3, Rdx = 0x1_0000_0000, R9 = 4 }, "TDX_SUCCESS: PT_REG, 4 KiB, owned by the TD with TDR 0x100000000, BEPOCH 4" },
        { HostLeaf.TDH_MNG_RD, new() { R8 = 2 }, "TDX_SUCCESS: value 0x2" },
        { HostLeaf.TDH_VP_ENTER, new() { Rax = 48, Rcx = 2, R8 = 0x4040_2000 }, "TD exit: EPT_VIOLATION: GPA 0x40402000, qualification 0x2" },
        { HostLeaf.TDH_VP_ENTER, new() { Rax = 77, Rcx = 0xFC00, R11 = 12 }, "TD exit: TDCALL: rcx=0xfc00, r11=0xc" },
        { HostLeaf.TDH_MNG_INIT, new() { Rax = Status.TDX_OPERAND_INVALID + (uint)OperandId.XFAM, R12 = 1 }, "TDX_OPERAND_INVALID(XFAM): r12=0x1" },
    };

    [Theory]
    [MemberData(nameof(Events))]
    public void An_event_is_one_readable_line(TraceEvent e, string text) => Assert.Equal(text, TraceEventText.Describe(e));

    [Theory]
    [MemberData(nameof(Answers))]
    public void An_answer_is_decoded(HostLeaf leaf, RegisterFile output, string text) =>
        Assert.Equal(text, AnswerText.Seamcall(Registers(leaf, 0x4040_2000, 0x1_0000_0000), output));

    [Fact]
    public void Every_modelled_leaf_names_its_operands()
    {
        Assert.All(LeafNames.ModelledHost, leaf => Assert.NotEmpty(LeafOperands.Of(leaf)));
        Assert.All(
            LeafNames.ModelledGuest.Where(leaf => leaf is not (GuestLeaf.TDG_VP_INFO or GuestLeaf.TDG_VP_VEINFO_GET)),
            leaf => Assert.NotEmpty(LeafOperands.Of(leaf)));
    }

    private static RegisterFile Registers(HostLeaf leaf, ulong rcx = 0, ulong rdx = 0, ulong r8 = 0) =>
        new() { Rax = (ulong)leaf, Rcx = rcx, Rdx = rdx, R8 = r8 };
}
