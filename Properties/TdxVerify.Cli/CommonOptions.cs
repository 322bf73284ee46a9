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

    /// <summary>A module version that exists; <see cref="ParseProfile"/> takes the value.</summary>
    public static Option<string> Profile(string description) => ProfileOption(description, ModuleProfiles.All);

    /// <summary>A module version, or a hypothetical one, where only the model answers; <see cref="ParseModelProfile"/> takes the value.</summary>
    public static Option<string> ModelProfile(string description) => ProfileOption(description, ModuleProfiles.WithHypothetical);

    /// <summary>The module version that was given; null where none was.</summary>
    public static ModuleProfile? ParseProfile(string? name)
    {
        if (Find("--profile", name, ModuleProfiles.All) is not { } profile)
            return null;
        return profile.IsHypothetical()
            ? throw new InputException(
                $"--profile: {name} is a proposal that only the model carries out; here it is {Names(ModuleProfiles.All)} (explore takes {name})")
            : profile;
    }

    /// <summary>The profile that was given, hypothetical ones too; null where none was.</summary>
    public static ModuleProfile? ParseModelProfile(string? name, string option = "--profile") => Find(option, name, ModuleProfiles.WithHypothetical);

    /// <summary>One of the formats that a command has.</summary>
    public static string ParseFormat(string format, params string[] formats) => formats.Contains(format)
        ? format
        : throw new InputException($"--format: there is no format '{format}'; it is {Either(formats)}");

    /// <summary>Refuses options that were given and mean nothing in a kind of run.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="run">The kind of run, such as <c>with --threads</c>.</param>
    /// <param name="options">What has no meaning there.</param>
    public static void Refuse(ParseResult parsed, string run, params ReadOnlySpan<Option> options)
    {
        foreach (Option option in options)
        {
            if (parsed.GetResult(option) is { Implicit: false })
                throw new InputException($"{option.Name}: it has no meaning {run}; leave it out");
        }
    }

    private static ModuleProfile? Find(string option, string? name, IReadOnlyList<(ModuleProfile Profile, string Name)> offered)
    {
        if (name is null)
            return null;
        return ModuleProfiles.TryParse(name, out ModuleProfile profile)
            ? profile
            : throw new InputException($"{option}: there is no module version '{name}'; it is {Names(offered)}");
    }

    private static Option<string> ProfileOption(string description, IReadOnlyList<(ModuleProfile Profile, string Name)> offered) => new("--profile")
    {
        HelpName = "VERSION",
        Description = $"{description}; {Names(offered)}",
    };

    private static string Names(IReadOnlyList<(ModuleProfile Profile, string Name)> profiles) => Either([.. profiles.Select(profile => profile.Name)]);

    private static string Either(string[] names) => $"{string.Join(", ", names.SkipLast(1))} or {names[^1]}";
}
