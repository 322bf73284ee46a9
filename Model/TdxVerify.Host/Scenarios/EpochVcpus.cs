namespace TdxVerify.Host;

/// <summary>TDH.MEM.TRACK waits for vCPUs of the previous epoch to leave their guests (facts/epoch.md).</summary>
internal static class EpochVcpus
{
    private const string PreviousBusy = "TDH.MEM.TRACK: TDX_PREVIOUS_TLB_EPOCH_BUSY";

    /// <summary>Guests that leave by themselves.</summary>
    public static Scenario Two { get; } = new(
        "two vCPUs enter and leave all the time, each counted in the epoch in which it entered: does TDH.MEM.TRACK ever get through again?",
        "facts/epoch.md",
        "not surely: the vCPUs can hold the epoch lock shared by turns, overlapping, so that it is never free for TDH.MEM.TRACK, however often the host repeats it",
        Of("epoch-two-vcpus", 2, GuestCode.Leaves));

    /// <summary>A guest that never leaves.</summary>
    public static Scenario Stays { get; } = new(
        "a guest runs on and is never interrupted: what becomes of TDH.MEM.TRACK?",
        "facts/epoch.md; why KVM kicks vCPUs after it",
        "it succeeds once and never again: nothing but an exit of that vCPU helps, so a host has to kick it",
        Of("epoch-guest-stays", 1, GuestCode.Spins));

    private static Configuration Of(string name, int vcpus, GuestCode guest) => new(name)
    {
        MustOccur = [PreviousBusy],
        Td = new TdLayout { Vcpus = vcpus },
        Guests = [.. Enumerable.Repeat(guest, vcpus)],
        Agents =
        [
            .. Enumerable.Range(0, vcpus).Select(vcpu => HostAgent.OfVcpu(vcpu, Calls.EnterLoop)),
            new HostAgent("tracker", Calls.Track) { Lp = vcpus },
        ],
    };
}
