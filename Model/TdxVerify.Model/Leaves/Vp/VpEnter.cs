using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>
/// TDH.VP.ENTER up to the VM entry (facts/checks.md, facts/epoch.md, facts/zerostep.md). While the guest runs, the
/// TDVPR's PAMT entries and the TDR's 4 KiB entry stay locked shared; <see cref="TdExit{S}"/> releases them.
/// </summary>
internal static class VpEnter<S>
    where S : struct, IState
{
    private const ulong HostRecoverabilityHint = 1UL << 52;
    private const ulong ResumeL1 = 1UL << 53;
    private const ulong FlagsAndReserved = 0xFFC0_0000_0000_0FFF;

    public static Leaf<S> Declare() => new LeafBuilder<S>(LeafId.Of(HostLeaf.TDH_VP_ENTER))
        .Choice("IA32_MISC_ENABLE boot-NT4 bit is clear", ChoicePoint.CpuidLimited, new Failure(Status.TDX_LIMIT_CPUID_MAXVAL_SET))
        .Check("RCX: bits 11:0 and 63:54 are 0", ReservedAreZero, Failure.Of(Status.TDX_OPERAND_INVALID, Register.Rcx))
        .Page(PageSlot.Tdvpr, Register.Rcx, "TDVPR", LockMode.Shared, PageType.PT_TDVPR, PamtSteps<S>.ReadAddressWithoutFlags)
        .OwnerTdr(PageSlot.Tdvpr)
        .TdIsUsable()
        .OpState()
        .TdvpsIsComplete()
        .VcpuState()
        .Check("vCPU is associated with no LP (then with this one) or with this one", VcpuSteps<S>.Associate, new Failure(Status.TDX_VCPU_ASSOCIATED))
        .Effect("a new association: associated vCPUs +1 (stays if a later step fails)", VcpuSteps<S>.CountNewAssociation)
        .Check("hint bit 52 only if the last TD exit was ASYNC_TRAP", HintIsLegal, Failure.Of(Status.TDX_OPERAND_INVALID, Register.Rcx))
        .Check("resume-L1 bit 53 only if the current VM is an L2", ResumeL1IsLegal, Failure.Of(Status.TDX_OPERAND_INVALID, Register.Rcx))
        .Choice("IA32_TSC_ADJUST unchanged", ChoicePoint.TscAdjustChanged, new Failure(Status.TDX_INCONSISTENT_MSR + 0x3B))
        .Choice("TSC not below that of the last exit", ChoicePoint.TscRollback, new Failure(Status.TDX_TSC_ROLLBACK))
        .Choice("monitor FSM enabled if MONITOR/MWAIT is virtualised", ChoicePoint.MonitorDisabled, new Failure(Status.TDX_INCORRECT_MSR_VALUE + 0x1A0))
        .Lock("TD epoch SHARED", LockId.Epoch, LockMode.Shared, TdSteps<S>.LockEpochShared, Failure.Of(Status.TDX_OPERAND_BUSY, OperandId.TD_EPOCH))
        .Read("sample = TD_EPOCH", SampleEpoch)
        .Effect("REFCOUNT[sample & 1] +1", CountRunning)
        .Effect("TD epoch lock released", TdSteps<S>.ReleaseEpoch, releases: LockId.Epoch)
        .Effect("sample differs from the vCPU epoch: INVEPT for every VM of the TD, unless newly associated", InvalidateIfEpochChanged)
        .Effect("vCPU epoch = sample", SetVcpuEpoch)
        .Effect("LP: RIP at entry = guest RIP", RecordRip)
        .Lock(
            "if the list of faulting GPAs is not empty: S-EPT tree EXCLUSIVE (REFCOUNT taken back on failure)", LockId.SeptTree,
            LockMode.Exclusive, LockTreeIfFaulting, Failure.Of(Status.TDX_OPERAND_BUSY, OperandId.SEPT_TREE), undo: UncountRunning,
            when: "a GPA is listed as faulting")
        .Check(
            "every GPA of that list translates with R, W and X (else an EPT violation is emulated, REFCOUNT taken back)",
            FaultingGpasTranslate,
            new Failure((ulong)ExitReason.EptViolation, FailureDetail.EmulatedEptViolation, CallEnd.EmulatedEptViolation, LockId.SeptTree),
            undo: EmulateViolation)
        .Effect("OP_STATE released", TdSteps<S>.ReleaseOpState, releases: LockId.OpState)
        .Effect("vCPU is not the last one run on this LP: INVEPT for every VM of the TD", InvalidateIfOtherVcpu)
        .Effect("LP: last vCPU = this one", SetLastVcpu)
        .Effect("vCPU state = VCPU_ACTIVE", SetActive)
        .Effect("S-EPT tree released if held", SeptSteps<S>.ReleaseTree, releases: LockId.SeptTree)
        .Effect("VM entry: TDVPR PAMT 1 GiB, 2 MiB, 4 KiB and TDR PAMT 4 KiB stay SHARED while in the guest", EnterGuest, ends: CallEnd.InGuest)
        .ReleaseTree()
        .ReleaseOpState()
        .ReleaseOwnerTdr()
        .ReleasePage(PageSlot.Tdvpr, "TDVPR")
        .Build();

    private static bool ReservedAreZero(ref S s, ref Call c, int arg) => (c.In.Rcx & FlagsAndReserved) == 0;

    private static bool HintIsLegal(ref S s, ref Call c, int arg) =>
        (c.In.Rcx & HostRecoverabilityHint) == 0 || (LastTdExit)s.Vcpu(c.Vcpu, VcpuField.LastExit) == LastTdExit.ASYNC_TRAP;

    // Only L1 is modelled: NUM_L2_VMS is 0.
    private static bool ResumeL1IsLegal(ref S s, ref Call c, int arg) => (c.In.Rcx & ResumeL1) == 0;

    [Visible(Touches = Touched.Epoch)]
    private static void SampleEpoch(ref S s, ref Call c, int arg) => c.Sample = s.Td(c.Td, TdField.Epoch);

    [Visible(Touches = Touched.Epoch)]
    private static void CountRunning(ref S s, ref Call c, int arg)
    {
        TdField count = TdSteps<S>.RefCount(c.Sample);
        s.SetTd(c.Td, count, s.Td(c.Td, count) + 1);
    }

    [Visible]
    private static void UncountRunning(ref S s, ref Call c, int arg)
    {
        TdField count = TdSteps<S>.RefCount(c.Sample);
        s.SetTd(c.Td, count, s.Td(c.Td, count) - 1);
    }

    private static void InvalidateIfEpochChanged(ref S s, ref Call c, int arg)
    {
        if (c.Sample != s.Vcpu(c.Vcpu, VcpuField.Epoch) && !c.NewAssociation)
            s.InvalidateEpt(c.Lp, c.Td);
    }

    private static void SetVcpuEpoch(ref S s, ref Call c, int arg) => s.SetVcpu(c.Vcpu, VcpuField.Epoch, c.Sample);

    private static void RecordRip(ref S s, ref Call c, int arg) => s.SetLp(c.Lp, LpField.RipAtEntry, s.Vcpu(c.Vcpu, VcpuField.Rip));

    private static bool LockTreeIfFaulting(ref S s, ref Call c, int arg) =>
        s.Vcpu(c.Vcpu, VcpuField.FaultListLength) == 0 || SeptSteps<S>.LockTreeExclusive(ref s, ref c, arg);

    [Visible(Part = nameof(TranslateOneLevel), Touches = Touched.Entries)]
    private static bool FaultingGpasTranslate(ref S s, ref Call c, int arg)
    {
        int length = (int)s.Vcpu(c.Vcpu, VcpuField.FaultListLength);
        for (int i = 0; i < length; i++)
        {
            c.Gpa = s.FaultingGpa(c.Vcpu, i);
            SeptSteps<S>.Walk(ref s, ref c, SeptLevel.Page4K);
            if (c.Value.State != SeptState.MAPPED)
                return false;
        }

        return true;
    }

    [Visible]
    private static void EmulateViolation(ref S s, ref Call c, int arg)
    {
        UncountRunning(ref s, ref c, arg);
        s.SetVcpu(c.Vcpu, VcpuField.LastExit, (ulong)LastTdExit.ASYNC_FAULT);
    }

    private static void InvalidateIfOtherVcpu(ref S s, ref Call c, int arg)
    {
        if (s.Lp(c.Lp, LpField.LastVcpu) != (ulong)c.Vcpu + 1)
            s.InvalidateEpt(c.Lp, c.Td);
    }

    private static void SetLastVcpu(ref S s, ref Call c, int arg) => s.SetLp(c.Lp, LpField.LastVcpu, (ulong)c.Vcpu + 1);

    private static void SetActive(ref S s, ref Call c, int arg) =>
        s.SetVcpu(c.Vcpu, VcpuField.State, (ulong)VcpuMachine.Declared.To(Trigger.TDH_VP_ENTER));

    // Sample2 is the place in the list of the GPA that is being translated.
    private static bool TranslateOneLevel(ref S s, ref Call c, int arg)
    {
        if (c.Progress == 0)
        {
            c.Sample2 = 0;
            c.Level = SeptSteps<S>.AboveRoot;
        }

        if (c.Sample2 == s.Vcpu(c.Vcpu, VcpuField.FaultListLength))
            return true;
        c.Gpa = s.FaultingGpa(c.Vcpu, (int)c.Sample2);
        SeptSteps<S>.WalkOneLevel(ref s, ref c, SeptLevel.Page4K);
        if (c.Again)
            return true;
        if (c.Value.State != SeptState.MAPPED)
            return false;
        c.Sample2++;
        c.Again = c.Sample2 < s.Vcpu(c.Vcpu, VcpuField.FaultListLength);
        c.Level = SeptSteps<S>.AboveRoot;
        return true;
    }

    [Visible(Touches = Touched.Residence)]
    private static void EnterGuest(ref S s, ref Call c, int arg)
    {
        s.SetLp(c.Lp, LpField.RunningVcpu, (ulong)c.Vcpu + 1);
        c.Held = 0;
        c.End = CallEnd.InGuest;
    }
}
