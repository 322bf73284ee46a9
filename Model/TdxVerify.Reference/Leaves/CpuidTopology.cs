namespace TdxVerify.Reference;

/// <summary>The rules of CPUID leaf 0x1F in TD_PARAMS (facts/profile-1.5.05.md).</summary>
internal static class CpuidTopology
{
    public const uint Leaf = 0x1F;
    public const int SubLeaves = 6;

    private const int CoreType = 2;
    private const int TypeLimit = 6;

    /// <summary>The first sub-leaf that configures a bit which is not configurable, or -1.</summary>
    public static int FirstNotConfigurable(in TdParams parameters)
    {
        for (int i = 0; i < SubLeaves; i++)
        {
            if (parameters.Topology(i).HasFixedBits)
                return i;
        }

        return -1;
    }

    /// <summary>
    /// Types rise from sub-leaf to sub-leaf, and a core level comes before the end. All zero asks for the platform's
    /// own topology, which is legal.
    /// </summary>
    public static bool IsWellFormed(in TdParams parameters)
    {
        if (parameters.Topology(0).IsZero)
            return IsZeroFrom(parameters, 1);

        int previous = 0;
        bool coreSeen = false;
        for (int i = 0; i < SubLeaves; i++)
        {
            int type = parameters.Topology(i).Type;
            if (type == 0 ? i == 0 || !coreSeen : type <= previous || type >= TypeLimit)
                return false;
            coreSeen |= type == CoreType;
            previous = type;
        }

        return true;
    }

    private static bool IsZeroFrom(in TdParams parameters, int first)
    {
        for (int i = first; i < SubLeaves; i++)
        {
            if (!parameters.Topology(i).IsZero)
                return false;
        }

        return true;
    }
}
