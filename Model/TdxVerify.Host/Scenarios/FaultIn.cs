namespace TdxVerify.Host;

/// <summary>vCPUs that fault in pages of their own, each by its own thread, while the TD epoch moves on.</summary>
internal static class FaultIn
{
    private const int Count = 4;

    /// <summary>Four vCPUs, four GPAs, four pages.</summary>
    public static Scenario Four { get; } = new(
        "four vCPUs accept four pages, and each thread adds the page at which its guest faults, while another thread calls TDH.MEM.TRACK all the time: who is busy?",
        "facts/locks.csv",
        "TDH.VP.ENTER and TDH.MEM.TRACK make each other busy on the TD epoch lock, and nobody else is busy with anything: adding and accepting different pages collide nowhere",
        new Configuration("four-vcpus-fault-in")
        {
            JoinsUnseenSteps = true,
            JoinsGuardedSteps = true,
            ForgetsUnread = true,
            MustOccur = ["TDH.VP.ENTER: TDX_OPERAND_BUSY(TD_EPOCH)", "TDH.MEM.TRACK: TDX_OPERAND_BUSY(TD_EPOCH)", "TDH.MEM.TRACK: TDX_PREVIOUS_TLB_EPOCH_BUSY"],
            Td = new TdLayout { Vcpus = Count, Gpas = GpaLayout.Many(Count, GpaStart.Free) },
            Guests = [.. Enumerable.Range(0, Count).Select(Accepts)],
            Agents =
            [
                .. Enumerable.Range(0, Count).Select(vcpu => HostAgent.OfVcpu(vcpu, Calls.FaultIn) with { Repeat = 1 }),
                new HostAgent("tracker", Calls.Track) { Lp = Count },
            ],
        });

    private static GuestCode Accepts(int gpa) => GuestCode.Named($"accepts gpa{gpa}, then leaves")
        .At("accept", GuestOp.Accept(gpa)).On(When.Success, "leave").Progress("accepted").Otherwise("accept")
        .At("leave", GuestOp.Vmcall).Next("leave")
        .Build();
}
