using TdxVerify.Abi;
using TdxVerify.Properties.Runs;
using Xunit;
using static TdxVerify.Tests.Laws.FaultyModel;

namespace TdxVerify.Tests.Laws;

/// <summary>Each law about calls catches faulty models by itself, and says what is wrong in the terms of the specification.</summary>
public class CallLawTests
{
    [Theory]
    [InlineData("TDH.MEM.PAGE.REMOVE", "S-EPT walk reaches the level", Fault.OtherStatus, "does not document")]
    [InlineData("TDH.MEM.RANGE.BLOCK", "entry state in", Fault.OtherOperand, "does not document")]
    [InlineData("TDH.MEM.TRACK", "lifecycle is TD_KEYS_CONFIGURED", Fault.OtherOperand, "does not document")]
    [InlineData("TDH.MEM.TRACK", "TDCS pages >= 6", Fault.ThresholdPlus1, "nothing that this says was true before the call")]
    [InlineData("TDG.MEM.PAGE.ACCEPT", "entry is not guest-accessible", Fault.OtherStatus, "does not document")]
    public void A_status_without_its_reason_is_noticed(string leaf, string step, Fault fault, string message) =>
        Assert.Contains(message, Complaint("status-has-its-reason", leaf, step, fault), StringComparison.Ordinal);

    [Theory]
    [InlineData("TDH.MEM.PAGE.REMOVE", "tracked since BEPOCH", "TLB tracking is not done since BEPOCH: TDX_TLB_TRACKING_NOT_DONE(RCX) was due")]
    [InlineData("TDH.MEM.SEPT.REMOVE", "512 entries", "an entry of the S-EPT page is not FREE")]
    [InlineData("TDH.MNG.VPFLUSHDONE", "no vCPU is associated", "a vCPU is still associated with a logical processor")]
    [InlineData("TDH.VP.ENTER", "vCPU is associated with no LP", "the vCPU is associated with another logical processor")]
    [InlineData("TDH.PHYMEM.PAGE.RECLAIM", "lifecycle is TD_TEARDOWN", "the lifecycle is not TD_TEARDOWN")]
    public void A_success_without_a_precondition_is_noticed(string leaf, string step, string message) =>
        Assert.Contains(message, Complaint("success-has-its-preconditions", leaf, step, Fault.Dropped), StringComparison.Ordinal);

    [Theory]
    [InlineData("TDH.MNG.RD")]
    [InlineData("TDH.VP.RD")]
    public void A_version_that_does_not_exist_and_is_carried_out_is_noticed(string leaf) =>
        Assert.Contains("the version is above 1", ComplaintOfMutant("success-has-its-preconditions", leaf, "threshold +1: version <= 1"), StringComparison.Ordinal);

    [Theory]
    [InlineData("TDH.MEM.RANGE.BLOCK", "S-EPT walk reaches the level", Fault.Dropped, "the S-EPT walk ends above the level: TDX_EPT_WALK_FAILED(RCX) was due")]
    [InlineData("TDH.VP.FLUSH", "lifecycle is TD_KEYS_CONFIGURED", Fault.Dropped, "the lifecycle is not TD_KEYS_CONFIGURED")]
    [InlineData("TDH.VP.ENTER", "OP_STATE SHARED", Fault.SwappedWithNext, "OP_STATE refuses a shared lock")]
    public void A_later_failure_that_wins_is_noticed(string leaf, string step, Fault fault, string message) =>
        Assert.Contains(message, Complaint("first-failure-wins", leaf, step, fault), StringComparison.Ordinal);

    [Theory]
    [InlineData("TDH.MEM.TRACK", "TD epoch EXCLUSIVE", Fault.Dropped, "the TD epoch refuses an exclusive lock: TDX_OPERAND_BUSY(TD_EPOCH) was due")]
    [InlineData("TDH.MEM.SEPT.RD", "S-EPT entry, host flavour", Fault.Dropped, "the S-EPT entry is locked")]
    [InlineData("TDH.MEM.PAGE.REMOVE", "S-EPT tree SHARED", Fault.OtherOperand, "the S-EPT tree refuses a shared lock: TDX_OPERAND_BUSY(SEPT_TREE) was due")]
    [InlineData("TDH.MEM.RANGE.BLOCK", "S-EPT walk reaches the level", Fault.BusyStatus, "no lock of it with that operand is the first to be refused")]
    [InlineData("TDG.MEM.PAGE.ACCEPT", "S-EPT entry, guest flavour", Fault.Dropped, "the S-EPT entry is locked or has host priority")]
    public void A_busy_that_no_lock_explains_and_a_lock_that_is_ignored_are_noticed(string leaf, string step, Fault fault, string message) =>
        Assert.Contains(message, Complaint("busy-iff-refused", leaf, step, fault), StringComparison.Ordinal);

    [Theory]
    [InlineData("TDH.MEM.PAGE.REMOVE", "entry = FREE", "S-EPT entry")]
    [InlineData("TDH.MEM.RANGE.BLOCK", "BEPOCH of the page = epoch", "PAMT Bepoch")]
    [InlineData("TDH.MEM.TRACK", "TD_EPOCH +1", "Epoch is 0x")]
    [InlineData("TDH.VP.FLUSH", "associated LP = none", "AssociatedLp is 0x")]
    [InlineData("TDH.VP.FLUSH", "INVEPT", "there was no INVEPT")]
    [InlineData("TDH.MNG.VPFLUSHDONE", "lifecycle = TD_BLOCKED", "Lifecycle is 0x")]
    [InlineData("TDG.MEM.PAGE.ACCEPT", "entry = MAPPED", "is PENDING of")]
    [InlineData("TD exit", "REFCOUNT", "RefCount")]
    public void A_missing_effect_is_noticed(string leaf, string step, string message) =>
        Assert.Contains(message, Complaint("success-has-its-effect", leaf, step, Fault.Dropped), StringComparison.Ordinal);

    [Theory]
    [InlineData("TDH.MEM.PAGE.REMOVE", "RCX = HPA of the page", Fault.Dropped, "TDH.MEM.PAGE.REMOVE succeeded: rcx is 0x0")]
    [InlineData("TDH.MEM.RANGE.BLOCK", "S-EPT walk reaches the level", Fault.NoDetails, "rcx is 0x0")]
    [InlineData("TDH.MEM.SEPT.RD", "RCX, RDX = 0", Fault.Dropped, "rcx is 0x")]
    [InlineData("TDH.PHYMEM.PAGE.RDMD", "R9 = BEPOCH", Fault.Dropped, "r9 is 0x0")]
    [InlineData("TDG.VP.INFO", "RDX = ATTRIBUTES", Fault.Dropped, "rdx is 0x0")]
    public void A_register_that_does_not_tell_the_state_is_noticed(string leaf, string step, Fault fault, string message) =>
        Assert.Contains(message, Complaint("outputs-tell-the-state", leaf, step, fault), StringComparison.Ordinal);

    [Fact]
    public void Version_1_of_VP_INIT_locks_the_TDR_exclusively_in_1_5_05() =>
        Assert.Contains(
            "the owner TDR's PAMT entry refuses an exclusive lock",
            Complaint("busy-iff-refused", "TDH.VP.INIT (version 1)", "owner TDR PAMT 4 KiB entry", Fault.Dropped, ModuleProfile.V1_5_05, sequences: 600),
            StringComparison.Ordinal);

    [Theory]
    [InlineData("TDH.MEM.TRACK", "OP_STATE SHARED", "OpStateLock went from 0x1 to 0x1, not to 0x7")]
    [InlineData("TDH.VP.ENTER", "TD epoch SHARED", "EpochLock went from 0x1 to 0x1, not to 0x3")]
    [InlineData("TDH.MEM.PAGE.REMOVE", "S-EPT tree SHARED", "SeptTreeLock went from 0x1 to 0x1, not to 0x3")]
    [InlineData("TDH.MEM.RANGE.BLOCK", "S-EPT entry, host flavour", "went from locked to locked, not to locked with host priority")]
    [InlineData("TDH.MEM.SEPT.ADD", "new S-EPT PAMT 4 KiB entry EXCLUSIVE", "went from 0x1 to 0x1, not to 0x3")]
    public void A_refused_lock_that_leaves_no_trace_is_noticed(string leaf, string step, string message) =>
        Assert.Contains(message, ComplaintOfMutant("lock-words-keep-only-residue", leaf, $"refused lock leaves no trace: {step}"), StringComparison.Ordinal);

    [Theory]
    [InlineData("TDH.MNG.KEY.FREEID", "TDR PAMT 4 KiB entry EXCLUSIVE")]
    [InlineData("TDH.MEM.SEPT.RD", "TDR PAMT 4 KiB entry SHARED")]
    public void A_host_lock_that_is_taken_as_a_guest_would_is_noticed(string leaf, string step) =>
        Assert.Contains("and the lock of PAMT entry HPA 0x", ComplaintOfMutant("lock-words-keep-only-residue", leaf, $"lock taken as a guest would: {step}"), StringComparison.Ordinal);

    [Fact]
    public void A_child_entry_that_is_refused_without_host_priority_is_noticed()
    {
        RunFailure? failure = Run(
            "lock-words-keep-only-residue", new PlatformInfo(), set => Mutant(set, "TDH.MEM.PAGE.PROMOTE", "refused lock leaves no host priority"), sequences: 300);
        Assert.Contains("is locked, not locked with host priority", failure?.Reason, StringComparison.Ordinal);
    }
}
