namespace TdxVerify.Host;

/// <summary>A page that is in use is taken away (facts/epoch.md).</summary>
internal static class BlockTrackRemove
{
    /// <summary>By the book.</summary>
    public static Scenario Scenario { get; } = Of(
        "block-track-remove", 1,
        "a page in use is blocked, tracked and removed: does it ever go back to the host while a processor can still translate to it?",
        "no: TDH.MEM.PAGE.REMOVE is refused until every vCPU of the older epoch has left, and no ghost of a translation outlives that");

    /// <summary>With a second vCPU.</summary>
    public static Scenario TwoVcpus { get; } = Of(
        "block-track-remove-2", 2, "the same with two vCPUs that use the page: does the host get it, and what becomes of the vCPUs?",
        "it is never exposed, but the host can be kept from it by overlapping entries; and once the page is gone two vCPUs that fault can keep each other busy on the S-EPT tree for ever");

    private static Scenario Of(string name, int vcpus, string question, string answer) => new(
        question,
        "facts/epoch.md; the observer of stale translations in Model/README.md",
        answer,
        new Configuration(name)
        {
            JoinsUnseenSteps = vcpus > 1,
            MustOccur = ["TDH.MEM.TRACK: TDX_OPERAND_BUSY(TD_EPOCH)"],
            Td = new TdLayout { Vcpus = vcpus, Gpas = GpaLayout.Many(1, GpaStart.Mapped) },
            Guests =
            [
                .. Enumerable.Repeat(
                    GuestCode.Named("touches gpa0 and leaves").At("read", GuestOp.Read(0)).Next("leave").At("leave", GuestOp.Vmcall).Next("read").Build(), vcpus),
            ],
            Agents =
            [
                .. Enumerable.Range(0, vcpus).Select(vcpu => HostAgent.OfVcpu(vcpu, Calls.EnterAndReturn)),
                new HostAgent("zapper", Calls.ZapTold) { Lp = vcpus, Gpas = [0], Repeat = 1 },
            ],
        });
}
