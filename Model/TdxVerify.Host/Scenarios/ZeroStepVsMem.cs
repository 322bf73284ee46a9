namespace TdxVerify.Host;

/// <summary>Once zero-step mitigation triggers, TDH.VP.ENTER takes the S-EPT tree lock exclusively (facts/zerostep.md).</summary>
internal static class ZeroStepVsMem
{
    public static Scenario Scenario { get; } = Of("zero-step-vs-mem", 2);

    public static Scenario ThreeVcpus { get; } = Of("zero-step-vs-mem-3", 3);

    private static Scenario Of(string name, int vcpus) => new(
        "who makes whom busy on the S-EPT tree lock, and does anybody starve?",
        "facts/zerostep.md; the contention (2) of \"TDX MMU part 2\"",
        new Configuration(name)
        {
            Td = new TdLayout { Vcpus = vcpus, Gpas = GpaLayout.Many(2, GpaStart.Free) },
            Guests = [.. Enumerable.Repeat(Reads(), vcpus)],
            Agents =
            [
                .. Enumerable.Range(0, vcpus).Select(vcpu => HostAgent.OfVcpu(vcpu, Calls.EnterLoop)),
                new HostAgent("mapper", Calls.Map) { Lp = vcpus, Gpas = [0] },
                new HostAgent("zapper", Calls.Zap) { Lp = vcpus + 1, Gpas = [1] },
            ],
        });

    // One instruction that touches both pages: it is at the same RIP until both are there.
    private static GuestCode Reads() => GuestCode.Named("touches both pages")
        .At("first", GuestOp.Read(0)).Next("second")
        .At("second", GuestOp.Read(1), sameInstructionAs: "first").Next("first").Progress("touched both pages")
        .Build();
}
