using TdxVerify.Abi;

namespace TdxVerify.Model.Mutants;

/// <summary>Faults in the argument of a step: a threshold one off, a set with a member more or less.</summary>
internal static class ArgumentFaults
{
    /// <summary>The faults of an argument, in words and as the argument that replaces it.</summary>
    public static IEnumerable<(MutantKind Kind, string Fault, int Argument)> Of(int argument, bool isThreshold, ArgumentKind kind)
    {
        if (isThreshold)
        {
            yield return (MutantKind.ThresholdShifted, "threshold +1", argument + 1);
            yield return (MutantKind.ThresholdShifted, "threshold -1", argument - 1);
        }

        IEnumerable<(string, int)> others = kind switch
        {
            ArgumentKind.SeptStates => Sets<SeptState>(argument),
            ArgumentKind.OpStates => Sets<OpState>(argument),
            ArgumentKind.VcpuStates => Sets<VcpuState>(argument),
            ArgumentKind.Levels => Levels(argument),
            _ => [],
        };
        foreach ((string fault, int other) in others)
            yield return (MutantKind.SetAltered, fault, other);
    }

    private static IEnumerable<(string, int)> Sets<T>(int set)
        where T : struct, Enum
    {
        foreach (T member in Enum.GetValues<T>())
        {
            int bit = 1 << Convert.ToInt32(member, null);
            yield return ((set & bit) != 0 ? $"set without {member}" : $"set with {member}", set ^ bit);
        }
    }

    private static IEnumerable<(string, int)> Levels(int levels)
    {
        int lowest = levels & 0xF;
        int highest = levels >> 4;
        if (lowest > 0)
            yield return ("lowest level -1", SeptSteps<ArraysState>.Levels(lowest - 1, highest));
        yield return ("lowest level +1", SeptSteps<ArraysState>.Levels(lowest + 1, highest));
        if (highest == SeptSteps<ArraysState>.RootLevel)
        {
            yield return ("highest level 2 instead of that of the root", SeptSteps<ArraysState>.Levels(lowest, SeptLevel.Page1G));
            yield break;
        }

        if (highest > lowest)
            yield return ("highest level -1", SeptSteps<ArraysState>.Levels(lowest, highest - 1));
        yield return ("highest level +1", SeptSteps<ArraysState>.Levels(lowest, highest + 1));
    }
}
