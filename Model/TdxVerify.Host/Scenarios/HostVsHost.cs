using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Host;

/// <summary>Host calls that overlap: the module halts, or one is busy where a reader of the documentation expects none.</summary>
internal static class HostVsHost
{
    /// <summary>A page is taken away before it counts as added.</summary>
    public static Scenario AugVsRemove { get; } = Halts("aug-vs-remove", HostLeaf.TDH_MEM_PAGE_REMOVE, "TDH.MEM.PAGE.REMOVE");

    /// <summary>A page is moved before it counts as added.</summary>
    public static Scenario AugVsRelocate { get; } = Halts("aug-vs-relocate", HostLeaf.TDH_MEM_PAGE_RELOCATE, "TDH.MEM.PAGE.RELOCATE");

    /// <summary>Measuring takes the TDR exclusively.</summary>
    public static Scenario ExtendVsVpCreate { get; } = new(
        "can vCPUs be created while the memory of the TD is being measured?",
        "facts/locks.csv: TDH.MR.EXTEND takes TDR exclusive, TDH.VP.CREATE shared",
        "only in turns: each makes the other busy on the TDR, though they have no page in common",
        new Configuration("extend-vs-vpcreate")
        {
            MustOccur = ["TDH.MR.EXTEND: TDX_OPERAND_BUSY(RDX)", "TDH.VP.CREATE: TDX_OPERAND_BUSY(RDX)"],
            Td = new TdLayout { Vcpus = 1, InitialisedVcpus = 0, IsFinalized = false, Gpas = GpaLayout.Many(1, GpaStart.Mapped) },
            Agents =
            [
                new HostAgent("measurer", Calls.WhileBusy(HostLeaf.TDH_MR_EXTEND)) { Gpas = [0] },
                new HostAgent("creator", Calls.WhileBusy(HostLeaf.TDH_VP_CREATE, operands: (Register.Rcx, Operand.Vcpu))) { Lp = 1, Vcpu = 0, Repeat = 1 },
            ],
        });

    /// <summary>Version 1 of TDH.VP.INIT, new in 1.5.05, takes the TDR exclusively.</summary>
    public static Scenario VpInitVsRemove { get; } = new(
        "a vCPU is initialised with version 1 of TDH.VP.INIT while the host takes pages out of the TD it builds: what did not collide before 1.5.05?",
        "facts/profile-1.5.05.md: version 1 takes TDR exclusive",
        "each makes the other busy on the TDR; with version 0 neither does",
        new Configuration("vpinit-vs-remove")
        {
            MustOccur = ["TDH.VP.INIT (version 1): TDX_OPERAND_BUSY(TDR)", "TDH.MEM.PAGE.REMOVE: TDX_OPERAND_BUSY(RDX)"],
            Td = new TdLayout { Vcpus = 2, InitialisedVcpus = 1, IsFinalized = false, Gpas = GpaLayout.Many(1, GpaStart.Mapped) },
            Prepare = CreateSecondVcpu,
            Agents =
            [
                new HostAgent("initialiser", Calls.WhileBusy(HostLeaf.TDH_VP_INIT, version: 1, operands: (Register.R8, Operand.Number(1)))) { Vcpu = 1, Repeat = 1 },
                new HostAgent("remover", Calls.WhileBusy(HostLeaf.TDH_MEM_PAGE_REMOVE)) { Lp = 1, Gpas = [0], Repeat = 1 },
            ],
        });

    private static Scenario Halts(string name, HostLeaf leaf, string text) => new(
        $"two host threads add a page and take it away by {text} at once, without a lock of their own: what can go wrong?",
        "contention/anomalies.md, F1",
        "the module halts: the entry is there before the page counts as the TD's, and a sanity check fails. Caused by a host that overlaps the two calls",
        new Configuration(name)
        {
            Profile = ModuleProfile.V1_5_01,
            Agents =
            [
                new HostAgent("mapper", Calls.Map) { Gpas = [0], Repeat = 1 },
                new HostAgent("remover", Calls.Once(leaf)) { Lp = 1, Gpas = [0], Repeat = 1 },
            ],
        });

    // TDH.VP.CREATE and its further pages; to initialise it is left to the scenario.
    private static void CreateSecondVcpu(ModelPort<CellState> port, TdPages pages)
    {
        ulong tdvpr = pages.Address(TdPages.Tdvpr(1));
        Call(HostLeaf.TDH_VP_CREATE, tdvpr, pages.Address(TdPages.Tdr));
        for (int i = 1; i <= port.Platform.TdvpxPages; i++)
            Call(HostLeaf.TDH_VP_ADDCX, tdvpr + ((ulong)i << Hpa.PageShift), tdvpr);

        void Call(HostLeaf leaf, ulong rcx, ulong rdx)
        {
            var registers = new RegisterFile { Rax = (ulong)leaf, Rcx = rcx, Rdx = rdx };
            if (port.Seamcall(0, ref registers) != PortResult.Ok || registers.Rax != Status.TDX_SUCCESS)
                throw new ProgramException($"vpinit-vs-remove: the set-up fails at {leaf.Name()}: {StatusTable.NameOf(registers.Rax)}.");
        }
    }
}
