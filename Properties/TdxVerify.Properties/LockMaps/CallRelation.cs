using TdxVerify.Properties.Contention;

namespace TdxVerify.Properties.LockMaps;

/// <summary>What two calls that overlap have in common. What is not known to be the same is taken as different: then fewer locks keep them apart.</summary>
/// <param name="IsSameVm">They are on one VM.</param>
/// <param name="IsSameVcpu">They are on one vCPU.</param>
/// <param name="IsSameGpa">They are on one GPA, at one level.</param>
public readonly record struct CallRelation(bool IsSameVm, bool IsSameVcpu, bool IsSameGpa)
{
    /// <summary>Threads of one VM, on different vCPUs and GPAs.</summary>
    public static CallRelation OfOneVm { get; } = new(true, false, false);

    /// <summary>In words.</summary>
    public string Text => string.Join(", ", Parts());

    /// <summary>That of a pair of the contention matrix.</summary>
    public static CallRelation Of(ContentionPair pair)
    {
        string[] parts = pair.Relation.Split(';');
        bool otherTd = pair.A.Tdr != 0 && pair.B.Tdr != 0 && pair.A.Tdr != pair.B.Tdr;
        return new CallRelation(!otherTd, parts.Contains("same-vCPU"), parts.Contains("same-GPA"));
    }

    private IEnumerable<string> Parts()
    {
        if (!IsSameVm)
            yield return "other VM";
        if (IsSameVcpu)
            yield return "same vCPU";
        if (IsSameGpa)
            yield return "same GPA";
    }
}
