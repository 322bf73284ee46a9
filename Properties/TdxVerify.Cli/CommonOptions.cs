using System.CommandLine;
using TdxVerify.Abi;
using TdxVerify.Properties.Targets;

namespace TdxVerify.Cli;

/// <summary>Options that several commands have, so that they are named and described alike.</summary>
internal static class CommonOptions
{
    public static Option<bool> Json() => new("--json") { Description = "print one JSON document on stdout and nothing else there" };

    /// <summary>Which implementation answers; <see cref="PortTarget.Parse"/> takes the value.</summary>
    public static Option<string> Target(PortTarget defaultTarget) => new("--target")
    {
        HelpName = "TARGET",
        Description = $"which implementation answers: model, reference, or native:PATH.so; without it, the {defaultTarget.Name}",
        DefaultValueFactory = _ => defaultTarget.Name,
    };

    /// <summary>A module version; <see cref="ParseProfile"/> takes the value.</summary>
    public static Option<string> Profile(string description) => new("--profile")
    {
        HelpName = "VERSION",
        Description = $"{description}; {ProfileNames}",
    };

    /// <summary>The module version that was given; null where none was.</summary>
    public static ModuleProfile? ParseProfile(string? name)
    {
        if (name is null)
            return null;
        return ModuleProfiles.TryParse(name, out ModuleProfile profile)
            ? profile
            : throw new InputException($"--profile: there is no module version '{name}'; it is {ProfileNames}");
    }

    private static string ProfileNames => string.Join(" or ", ModuleProfiles.All.Select(profile => profile.Name));
}
