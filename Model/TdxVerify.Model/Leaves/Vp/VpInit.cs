using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>TDH.VP.INIT, version 0 and, in profile 1.5.05, version 1 with an x2APIC id (facts/profile-1.5.05.md).</summary>
internal static class VpInit<S>
    where S : struct, IState
{
    private const ulong ResetVector = 0xFFFF_FFF0;

    public static Leaf<S> DeclareVersion0(ModuleProfile profile)
    {
        LeafBuilder<S> leaf = Prologue(new LeafBuilder<S>(LeafId.Of(HostLeaf.TDH_VP_INIT)), LockMode.Shared);
        if (profile == ModuleProfile.V1_5_05)
            leaf.Effect("TOPOLOGY_ENUM_CONFIGURED = false, for the TD and for ever", ClearTopology);
        return Epilogue(leaf);
    }

    public static Leaf<S> DeclareVersion1()
    {
        LeafBuilder<S> leaf = new LeafBuilder<S>(LeafId.Of(HostLeaf.TDH_VP_INIT, " (version 1)")).VersionAtMost1();
        Prologue(leaf, LockMode.Exclusive)
            .Check(
                "R8: bits 63:32 are 0 (vCPU count taken back)", X2ApicIdIsNarrow, Failure.Of(Status.TDX_OPERAND_INVALID, Register.R8),
                undo: UncountVcpu)
            .Check("x2APIC id differs from those of all lower indexes", X2ApicIdIsUnique, new Failure(Status.TDX_X2APIC_ID_NOT_UNIQUE, FailureDetail.X2ApicIdInStatus))
            .Effect("x2APIC slot of this index = R8", SetX2ApicId);
        return Epilogue(leaf);
    }

    private static LeafBuilder<S> Prologue(LeafBuilder<S> leaf, LockMode tdrMode) => leaf
        .Page(PageSlot.Tdvpr, Register.Rcx, "TDVPR", LockMode.Exclusive, PageType.PT_TDVPR)
        .OwnerTdr(PageSlot.Tdvpr, tdrMode)
        .TdIsUsable()
        .OpState()
        .TdvpsIsComplete()
        .VcpuState()
        .Effect("vCPU index = vCPU count; vCPU count +1", CountVcpu)
        .Check(
            "vCPU count <= MAX_VCPUS (taken back on failure)", CountIsLegal, new Failure(Status.TDX_MAX_VCPUS_EXCEEDED),
            undo: UncountVcpu);

    private static Leaf<S> Epilogue(LeafBuilder<S> leaf) => leaf
        .Choice("IA32_TSC_ADJUST unchanged (vCPU count not taken back)", ChoicePoint.TscAdjustChanged, new Failure(Status.TDX_INCONSISTENT_MSR + 0x3B))
        .Effect("guest RIP = reset vector", SetRip)
        .Effect("vCPU state = VCPU_READY", SetReady)
        .Effect("associated with this LP", AssociateHere)
        .Effect("associated vCPUs +1", CountAssociation)
        .ReleaseOpState()
        .ReleaseOwnerTdr()
        .ReleasePage(PageSlot.Tdvpr, "TDVPR")
        .Build();

    [Visible]
    private static void CountVcpu(ref S s, ref Call c, int arg)
    {
        ulong count = s.Td(c.Td, TdField.NumVcpus);
        c.Sample = count;
        s.SetTd(c.Td, TdField.NumVcpus, count + 1);
        s.SetVcpu(c.Vcpu, VcpuField.Index, count);
    }

    private static bool CountIsLegal(ref S s, ref Call c, int arg) => c.Sample < s.Td(c.Td, TdField.MaxVcpus);

    [Visible]
    private static void UncountVcpu(ref S s, ref Call c, int arg) =>
        s.SetTd(c.Td, TdField.NumVcpus, s.Td(c.Td, TdField.NumVcpus) - 1);

    [Visible]
    private static void ClearTopology(ref S s, ref Call c, int arg) => s.SetTd(c.Td, TdField.TopologyEnumConfigured, 0);

    private static bool X2ApicIdIsNarrow(ref S s, ref Call c, int arg) => c.In.R8 >> 32 == 0;

    private static bool X2ApicIdIsUnique(ref S s, ref Call c, int arg)
    {
        for (int index = 0; index < (int)c.Sample; index++)
        {
            if (s.X2ApicId(c.Td, index) == (uint)c.In.R8)
                return false;
        }

        return true;
    }

    [Visible]
    private static void SetX2ApicId(ref S s, ref Call c, int arg) => s.SetX2ApicId(c.Td, (int)c.Sample, (uint)c.In.R8);

    private static void SetRip(ref S s, ref Call c, int arg) => s.SetVcpu(c.Vcpu, VcpuField.Rip, ResetVector);

    private static void SetReady(ref S s, ref Call c, int arg) =>
        s.SetVcpu(c.Vcpu, VcpuField.State, (ulong)VcpuMachine.Declared.To(Trigger.TDH_VP_INIT));

    [Visible]
    private static void AssociateHere(ref S s, ref Call c, int arg) => s.SetVcpu(c.Vcpu, VcpuField.AssociatedLp, (ulong)c.Lp + 1);

    [Visible]
    private static void CountAssociation(ref S s, ref Call c, int arg) =>
        s.SetTd(c.Td, TdField.AssociatedVcpus, s.Td(c.Td, TdField.AssociatedVcpus) + 1);
}
