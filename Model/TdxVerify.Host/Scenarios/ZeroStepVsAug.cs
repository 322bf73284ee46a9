namespace TdxVerify.Host;

/// <summary>
/// The core of the contention on the S-EPT tree lock, small enough to be written a second time by hand in other
/// languages (Properties/twins): entries that translate the faulting GPA against TDH.MEM.PAGE.AUG of that GPA.
/// </summary>
internal static class ZeroStepVsAug
{
    public static Scenario Scenario { get; } = new(
        "does adding the page at which the guests fault get them on? (It is pending, and faults on.)",
        "facts/zerostep.md, \"Pending pages and this mechanism\"",
        "no: once a GPA is logged as faulting, a pending page there keeps its vCPU from ever running again",
        new Configuration("zero-step-vs-aug-2")
        {
            Td = new TdLayout { Vcpus = 2, Gpas = GpaLayout.Many(1, GpaStart.Free) },
            Guests = [Reads, Reads],
            Agents =
            [
                HostAgent.OfVcpu(0, Calls.EnterLoop),
                HostAgent.OfVcpu(1, Calls.EnterLoop),
                new HostAgent("mapper", Calls.Map) { Lp = 2, Gpas = [0] },
            ],
        });

    private static GuestCode Reads => GuestCode.Named("reads the page")
        .At("read", GuestOp.Read(0)).Next("read").Progress("read the page")
        .Build();
}
