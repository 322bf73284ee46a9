using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Properties.Laws.Calls;

/// <summary>TDH.VP.*: the ends of the leaves that make, enter and flush a vCPU (facts/checks.md, facts/profile-1.5.05.md).</summary>
internal static class VpRules
{
    public static LeafRules Create() => new LeafRules("TDH.VP.CREATE")
        .Tdr(Register.Rdx, exclusive: false)
        .Usable(locksOpState: true, OpState.INITIALIZED)
        .NewPage(Register.Rcx);

    public static LeafRules AddCx() => new LeafRules("TDH.VP.ADDCX")
        .Tdvpr(Register.Rdx, exclusive: true)
        .Usable(locksOpState: true, OpState.INITIALIZED)
        .Check(Status.TDX_VCPU_STATE_INCORRECT, "the vCPU is not VCPU_UNINITIALIZED", c => !IsState(c, VcpuState.VCPU_UNINITIALIZED))
        .Check(Status.TDX_TDCX_NUM_INCORRECT, "the vCPU has 15 TDVPS pages", c => c.Of(VcpuField.Pages) >= 15)
        .NewPage(Register.Rcx);

    public static LeafRules Init(int version)
    {
        var rules = new LeafRules(version == 0 ? "TDH.VP.INIT" : "TDH.VP.INIT (version 1)");
        if (version == 1)
            rules.Check(LeafRules.Error(Status.TDX_OPERAND_INVALID, Register.Rax), "the version is above 1", c => c.Version > 1);
        HasPages(rules.Tdvpr(Register.Rcx, exclusive: true, tdrExclusive: version == 1).Usable(locksOpState: true, OpState.INITIALIZED))
            .Check(Status.TDX_VCPU_STATE_INCORRECT, "the vCPU is not VCPU_UNINITIALIZED", c => !IsState(c, VcpuState.VCPU_UNINITIALIZED))
            .Check(
                Status.TDX_MAX_VCPUS_EXCEEDED, "NUM_VCPUS has reached MAX_VCPUS",
                c =>
                {
                    c.ReachedCount = true;
                    bool exceeded = c.Of(TdField.NumVcpus) >= c.Of(TdField.MaxVcpus);
                    c.CountedVcpu = !exceeded;
                    return exceeded;
                });
        if (version == 1)
        {
            rules
                .Check(
                    LeafRules.Error(Status.TDX_OPERAND_INVALID, Register.R8), "R8 bits 63:32 are not 0",
                    c =>
                    {
                        bool tooWide = c.In.R8 > uint.MaxValue;
                        c.CountedVcpu = !tooWide;
                        return tooWide;
                    })
                .Add(new Rule(RuleKind.Check, Status.TDX_X2APIC_ID_NOT_UNIQUE, "a lower index has the x2APIC id of R8", IsX2ApicIdTaken)
                {
                    Details = c => (uint)c.In.R8,
                });
        }

        return rules.Choice(
            ChoicePoint.TscAdjustChanged, Status.TDX_INCONSISTENT_MSR + 0x3B, "IA32_TSC_ADJUST has changed",
            c =>
            {
                c.WroteX2ApicId = version == 1;
                return true;
            });
    }

    public static LeafRules Enter()
    {
        LeafRules rules = new LeafRules("TDH.VP.ENTER")
            .Choice(ChoicePoint.CpuidLimited, Status.TDX_LIMIT_CPUID_MAXVAL_SET, "IA32_MISC_ENABLE boot-NT4 was set")
            .Check(LeafRules.Error(Status.TDX_OPERAND_INVALID, Register.Rcx), "RCX bits 11:0 or 63:54 are not 0", c => (c.In.Rcx & 0xFFC0_0000_0000_0FFF) != 0)
            .Tdvpr(Register.Rcx, exclusive: false, ignoredBits: 0xFFF0_0000_0000_0000)
            .Usable(locksOpState: true, OpState.RUNNABLE);
        HasPages(rules)
            .Check(Status.TDX_VCPU_STATE_INCORRECT, "the vCPU is not VCPU_READY", c => !IsState(c, VcpuState.VCPU_READY));
        return Associated(rules)
            .Check(
                LeafRules.Error(Status.TDX_OPERAND_INVALID, Register.Rcx), "the recoverability hint (RCX bit 52) is set and the last TD exit was not ASYNC_TRAP",
                c => (c.In.Rcx >> 52 & 1) != 0 && (LastTdExit)c.Of(VcpuField.LastExit) != LastTdExit.ASYNC_TRAP)
            .Check(LeafRules.Error(Status.TDX_OPERAND_INVALID, Register.Rcx), "resume-L1 (RCX bit 53) is set and the vCPU is in L1", c => (c.In.Rcx >> 53 & 1) != 0)
            .Choice(ChoicePoint.TscAdjustChanged, Status.TDX_INCONSISTENT_MSR + 0x3B, "IA32_TSC_ADJUST has changed")
            .Choice(ChoicePoint.TscRollback, Status.TDX_TSC_ROLLBACK, "the TSC is below that of the last TD exit")
            .Choice(ChoicePoint.MonitorDisabled, Status.TDX_INCORRECT_MSR_VALUE + 0x1A0, "the monitor FSM is disabled")
            .Lock(
                LeafRules.Error(Status.TDX_OPERAND_BUSY, OperandId.TD_EPOCH), "the TD epoch refuses a shared lock",
                c =>
                {
                    bool refused = c.RefusesShared(TdField.EpochLock);
                    c.SampledEpoch = !refused;
                    return refused;
                })
            .Lock(
                LeafRules.Error(Status.TDX_OPERAND_BUSY, OperandId.SEPT_TREE), "the vCPU has faulting GPAs and the S-EPT tree refuses an exclusive lock",
                c => c.Of(VcpuField.FaultListLength) != 0 && c.RefusesExclusive(TdField.SeptTreeLock))
            .Add(new Rule(RuleKind.Check, (ulong)ExitReason.EptViolation, "a faulting GPA of the vCPU does not translate with R, W and X", SomeGpaStillFaults)
            {
                End = CallEnd.EmulatedEptViolation,
            });
    }

    public static LeafRules Flush() => HasPages(new LeafRules("TDH.VP.FLUSH").Tdvpr(Register.Rcx, exclusive: true).KeysConfigured())
        .Check(Status.TDX_VCPU_NOT_ASSOCIATED, "the vCPU is not associated with this logical processor", c => c.Of(VcpuField.AssociatedLp) != (ulong)c.Lp + 1);

    public static LeafRules Rd()
    {
        LeafRules rules = new LeafRules("TDH.VP.RD")
            .Presets(Register.R8)
            .Check(LeafRules.Error(Status.TDX_OPERAND_INVALID, Register.Rax), "the version is above 1", c => c.Version > 1)
            .Tdvpr(Register.Rcx, exclusive: false)
            .Usable(locksOpState: true, OpState.INITIALIZED, OpState.RUNNABLE);
        HasPages(rules)
            .Check(
                Status.TDX_VCPU_STATE_INCORRECT, "the vCPU is neither VCPU_READY nor VCPU_DISABLED",
                c => !IsState(c, VcpuState.VCPU_READY) && !IsState(c, VcpuState.VCPU_DISABLED));
        return Associated(rules)
            .Check(Status.TDX_METADATA_FIELD_ID_INCORRECT, "the field id has reserved or list bits", c => MetadataFields.IsMalformed(c.In.Rdx))
            .Check(Status.TDX_METADATA_FIELD_ID_INCORRECT, "the field id is unknown", c => Field(c) == MetadataField.None)
            .Check(Status.TDX_METADATA_FIELD_NOT_READABLE, "the field is not readable", c => Field(c) == MetadataField.Hidden);
    }

    private static MetadataField Field(CallFacts c) => MetadataFields.Find(c.In.Rdx, ofVcpu: true, default);

    private static LeafRules HasPages(LeafRules rules) =>
        rules.Check(Status.TDX_TDCX_NUM_INCORRECT, "the vCPU has fewer than 6 TDVPS pages", c => c.Of(VcpuField.Pages) < 6);

    private static LeafRules Associated(LeafRules rules) => rules.Check(
        Status.TDX_VCPU_ASSOCIATED, "the vCPU is associated with another logical processor",
        c =>
        {
            ulong associated = c.Of(VcpuField.AssociatedLp);
            c.IsNewlyAssociated = associated == 0;
            return associated != 0 && associated != (ulong)c.Lp + 1;
        });

    private static bool IsState(CallFacts c, VcpuState state) => (VcpuState)c.Of(VcpuField.State) == state;

    private static bool IsX2ApicIdTaken(CallFacts c)
    {
        ulong index = c.Of(TdField.NumVcpus);
        for (int lower = 0; (ulong)lower < index; lower++)
        {
            if (c.S.X2ApicId(c.Td, lower) == (uint)c.In.R8)
                return true;
        }

        return false;
    }

    private static bool SomeGpaStillFaults(CallFacts c)
    {
        int length = (int)c.Of(VcpuField.FaultListLength);
        for (int i = 0; i < length; i++)
        {
            c.Gpa = c.UntranslatedGpa = c.S.FaultingGpa(c.Vcpu, i);
            c.Walk(SeptLevel.Page4K);
            if (c.Value.State != SeptState.MAPPED)
                return true;
        }

        return false;
    }
}
