using System.Runtime;

namespace TdxVerify.Properties.Benchmarks;

/// <summary>Work before a measurement, until the JIT has settled.</summary>
/// <remarks>
/// The JIT compiles a method again after some calls, with what it learned from them; for a whole property run that takes
/// seconds. A long run spends its time in what then is there, and that is what is measured.
/// </remarks>
internal static class JitSettling
{
    // It has settled when it takes no more than this share of the time.
    private const double SettledShare = 0.05;

    private static readonly TimeSpan s_window = TimeSpan.FromSeconds(0.25);

    /// <summary>Carries something out again and again until the JIT has settled.</summary>
    /// <param name="round">What is going to be measured.</param>
    /// <param name="longest">Processor time after which it is left at that.</param>
    /// <param name="window">The JIT's share is taken over so much processor time, and a quarter of a second at most.</param>
    public static void Wait(Action round, TimeSpan longest, TimeSpan window)
    {
        TimeSpan start = Environment.CpuUsage.TotalTime;
        TimeSpan used;
        TimeSpan compiling;
        do
        {
            TimeSpan before = Environment.CpuUsage.TotalTime;
            TimeSpan compilingBefore = JitInfo.GetCompilationTime();
            do
            {
                round();
                used = Environment.CpuUsage.TotalTime - before;
            }
            while (used < s_window && used < window);
            compiling = JitInfo.GetCompilationTime() - compilingBefore;
        }
        while (compiling > used * SettledShare && Environment.CpuUsage.TotalTime - start < longest);
    }
}
