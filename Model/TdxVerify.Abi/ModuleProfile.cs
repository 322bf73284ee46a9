namespace TdxVerify.Abi;

/// <summary>A version of the TDX module whose behaviour is modelled.</summary>
public enum ModuleProfile
{
    /// <summary>Module 1.5.01: the base.</summary>
    V1_5_01,

    /// <summary>Module 1.5.05 (facts/profile-1.5.05.md).</summary>
    V1_5_05,
}

/// <summary>Names of profiles, as command lines and trace headers write them.</summary>
public static class ModuleProfiles
{
    /// <summary>All profiles, with the names that users write.</summary>
    public static IReadOnlyList<(ModuleProfile Profile, string Name)> All { get; } =
    [
        (ModuleProfile.V1_5_01, "1.5.01"),
        (ModuleProfile.V1_5_05, "1.5.05"),
    ];

    /// <summary>The name that users write, such as <c>1.5.01</c>.</summary>
    public static string Name(this ModuleProfile profile) => All[(int)profile].Name;

    /// <summary>Finds a profile by the name that users write; false where there is none.</summary>
    public static bool TryParse(string name, out ModuleProfile profile)
    {
        foreach ((ModuleProfile candidate, string candidateName) in All)
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
