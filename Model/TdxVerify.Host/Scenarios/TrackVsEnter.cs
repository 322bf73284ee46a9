namespace TdxVerify.Host;

/// <summary>TDH.MEM.TRACK and TDH.VP.ENTER contend for the TD epoch lock (facts/locks.csv).</summary>
internal static class TrackVsEnter
{
    public static Scenario Scenario { get; } = new(
        "who makes whom busy on the TD epoch lock, and does either starve?",
        "facts/epoch.md; the contention (1) of \"TDX MMU part 2\"",
        "each can make the other busy, for the few accesses for which it holds the lock; a host that repeats gets on",
        new Configuration("track-vs-enter")
        {
            MustOccur =
            [
                "TDH.VP.ENTER: TDX_OPERAND_BUSY(TD_EPOCH)", "TDH.MEM.TRACK: TDX_OPERAND_BUSY(TD_EPOCH)", "TDH.MEM.TRACK: TDX_PREVIOUS_TLB_EPOCH_BUSY",
            ],
            Agents =
            [
                HostAgent.OfVcpu(0, Calls.EnterLoop),
                new HostAgent("tracker", Calls.Track) { Lp = 1 },
            ],
        });
}
