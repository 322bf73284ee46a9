namespace TdxVerify.Properties.Contention;

/// <summary>Differences from the recorded contention that are known and explained (Model/README.md, "Stated limits").</summary>
public static class StatedLimits
{
    private const string RealViolation =
        "TDH.MEM.RANGE.BLOCK between the VM entry and the guest's access: the exit shows the registers of a real EPT violation (RCX = 1, a read). Neither "
        + "order gives that: entering after the block emulates one with RCX = 2. The recording's row was corrected by hand after the run (contention.md, "
        + "\"What 'serializable' compares\") and counts both exits as the same";

    private static readonly (string Scenario, string A, string B, string Extra, string Why)[] s_all =
    [
        ("run", "RANGE.BLOCK 0/1", "VP.ENTER zs-resolved v2", "TDX_SUCCESS|exit48|nonser", RealViolation),
        ("run", "RANGE.BLOCK d000/0", "VP.ENTER zs-resolved v2", "TDX_SUCCESS|exit48|nonser", RealViolation),
    ];

    /// <summary>Why a pair differs; null: nothing explains it.</summary>
    public static string? Explain(PairDifference difference)
    {
        foreach ((string scenario, string a, string b, string extra, string why) in s_all)
        {
            if ((scenario, a, b) == (difference.Pair.Scenario, difference.Pair.A, difference.Pair.B)
                && difference.Missing.Count == 0 && difference.Extra is [var only] && only == extra)
            {
                return why;
            }
        }

        return null;
    }
}
