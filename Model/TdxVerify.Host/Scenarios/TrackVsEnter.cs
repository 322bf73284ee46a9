namespace TdxVerify.Host;

/// <summary>TDH.MEM.TRACK and TDH.VP.ENTER contend for the TD epoch lock (facts/locks.csv).</summary>
internal static class TrackVsEnter
{
    public static Scenario Scenario { get; } = new(
        "who makes whom busy on the TD epoch lock, and does either starve?",
        "facts/epoch.md; the contention (1) of \"TDX MMU part 2\"",
        new Configuration("track-vs-enter")
        {
            Agents =
            [
                HostAgent.OfVcpu(0, Calls.EnterLoop),
                new HostAgent("tracker", Calls.Track) { Lp = 1 },
            ],
        });
}
