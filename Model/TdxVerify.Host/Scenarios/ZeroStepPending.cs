namespace TdxVerify.Host;

/// <summary>A pending page still counts as faulting for a vCPU on whose list its GPA is (anomalies.md, Z1).</summary>
internal static class ZeroStepPending
{
    /// <summary>The only vCPU.</summary>
    public static Scenario One { get; } = new(
        "a GPA got on the zero-step list, then the host adds its page: can the vCPU run to accept it?",
        "facts/zerostep.md; contention/anomalies.md, Z1",
        "never: the page is PENDING, which counts as still faulting, so TDH.VP.ENTER emulates the violation for ever. Caused by the module; a host has to add the page within six violations",
        new Configuration("zero-step-pending")
        {
            Td = new TdLayout { SeptVeDisable = false },
            Guests = [TouchesAndAccepts()],
            Agents =
            [
                HostAgent.OfVcpu(0, Calls.EnterBlind),
                new HostAgent("mapper", Calls.WhileBusy(Abi.HostLeaf.TDH_MEM_PAGE_AUG)) { Lp = 1, Gpas = [0], Repeat = 1 },
            ],
        });

    /// <summary>A second vCPU that has not faulted.</summary>
    public static Scenario Rescued { get; } = new(
        "the same, and another vCPU accepts the page: does that let the first one run again?",
        "contention/anomalies.md, Z1",
        "if the page gets in, yes. But it may not: the entry of the vCPU that faults holds the S-EPT tree, the other guest's ACCEPT the entry, and between them TDH.MEM.PAGE.AUG can be refused for ever",
        new Configuration("zero-step-rescued")
        {
            MustOccur = ["TDH.VP.ENTER: TDX_OPERAND_BUSY(SEPT_TREE)"],
            Td = new TdLayout { Vcpus = 2, SeptVeDisable = false },
            Guests =
            [
                TouchesAndAccepts(),
                GuestCode.Named("accepts gpa0, then leaves")
                    .At("accept", GuestOp.Accept(0)).On(When.Success, "leave").On(When.Class(Abi.Status.TDX_PAGE_ALREADY_ACCEPTED), "leave").Otherwise("accept")
                    .At("leave", GuestOp.Vmcall).Next("leave")
                    .Build(),
            ],
            Agents =
            [
                HostAgent.OfVcpu(0, Calls.EnterBlind),
                HostAgent.OfVcpu(1, Calls.EnterLoop),
                new HostAgent("mapper", Calls.WhileBusy(Abi.HostLeaf.TDH_MEM_PAGE_AUG)) { Lp = 2, Gpas = [0], Repeat = 1 },
            ],
        });

    private static GuestCode TouchesAndAccepts() => GuestCode.Named("touches gpa0, accepts it on #VE")
        .At("read", GuestOp.Read(0))
            .On(When.VirtualizationException, "accept")
            .Otherwise("leave").Progress("touched its page")
        .At("accept", GuestOp.Accept(0)).Next("read")
        .At("leave", GuestOp.Vmcall).Next("read")
        .Build();
}
