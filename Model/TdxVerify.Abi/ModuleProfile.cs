namespace TdxVerify.Abi;

/// <summary>A version of the TDX module whose behaviour is modelled: released, or only proposed.</summary>
public enum ModuleProfile
{
    /// <summary>Module 1.5.01: the base.</summary>
    V1_5_01,

    /// <summary>Module 1.5.05 (facts/profile-1.5.05.md).</summary>
    V1_5_05,

    /// <summary>
    /// A proposal (facts/retry-proposals.md, "module-no-free-entry-lock"): TDG.MEM.PAGE.ACCEPT, ATTR.RD and ATTR.WR do
    /// not lock an S-EPT entry that their walk found FREE. Else as 1.5.01.
    /// </summary>
    NoFreeEntryLock,

    /// <summary>
    /// A thought experiment: TDH.VP.ENTER looks whether listed GPAs still fault without the S-EPT tree lock. Else as 1.5.01.
    /// </summary>
    NoZeroStepTreeLock,
}

/// <summary>Names of profiles, as command lines and trace headers write them.</summary>
public static class ModuleProfiles
{
    /// <summary>Those that exist as modules, with the names that users write: what can be recorded, and what the reference implements.</summary>
    public static IReadOnlyList<(ModuleProfile Profile, string Name)> All { get; } =
    [
        (ModuleProfile.V1_5_01, "1.5.01"),
        (ModuleProfile.V1_5_05, "1.5.05"),
    ];

    /// <summary>Those and the hypothetical ones, which only the model carries out.</summary>
    public static IReadOnlyList<(ModuleProfile Profile, string Name)> WithHypothetical { get; } =
    [
        .. All,
        (ModuleProfile.NoFreeEntryLock, "no-free-entry-lock"),
        (ModuleProfile.NoZeroStepTreeLock, "no-zero-step-tree-lock"),
    ];

    /// <summary>No module behaves like that: only the model does.</summary>
    public static bool IsHypothetical(this ModuleProfile profile) => profile is ModuleProfile.NoFreeEntryLock or ModuleProfile.NoZeroStepTreeLock;

    /// <summary>The name that users write, such as <c>1.5.01</c>.</summary>
    public static string Name(this ModuleProfile profile) => WithHypothetical[(int)profile].Name;

    /// <summary>Finds a profile, hypothetical ones too, by the name that users write; false where there is none.</summary>
    public static bool TryParse(string name, out ModuleProfile profile)
    {
        foreach ((ModuleProfile candidate, string candidateName) in WithHypothetical)
        {
            if (candidateName == name)
            {
                profile = candidate;
                return true;
            }
        }

        profile = default;
        return false;
    }
}
