namespace TdxVerify.Host.Field;

/// <summary>What comes of a configuration, under strong fairness unless it says otherwise.</summary>
public enum Expectation
{
    /// <summary>Every law holds, and every agent gets on.</summary>
    Held,

    /// <summary>A law is broken.</summary>
    LawBroken,

    /// <summary>All agents go round for ever, and none gets on.</summary>
    Livelock,

    /// <summary>One agent goes round or waits for ever without getting on, or can never get on again.</summary>
    Starvation,

    /// <summary>The same, but only if an attempt that is possible again and again is refused each time.</summary>
    WeakStarvation,
}

/// <summary>Whose fault it is.</summary>
public enum Cause
{
    /// <summary>Nobody's: it holds.</summary>
    None,

    /// <summary>The host's program.</summary>
    Host,

    /// <summary>The module: no host could do better.</summary>
    Module,

    /// <summary>A guest that misbehaves.</summary>
    Guest,
}

/// <summary>A bug of the field as a small system, or the same with its fix.</summary>
/// <param name="Name"><c>bad_...</c> or <c>good_...</c>.</param>
/// <param name="Bug">Its number in facts/retry-proposals.md, "Bugs to find again".</param>
/// <param name="What">What goes wrong, or what the fix does.</param>
public sealed record FieldCase(string Name, int Bug, string What)
{
    /// <summary>The system.</summary>
    public required Configuration Configuration { get; init; }

    /// <summary>What is to come of it.</summary>
    public Expectation Expected { get; init; }

    /// <summary>The law that is broken; empty: none.</summary>
    public string Law { get; init; } = "";

    /// <summary>Whose fault it is.</summary>
    public Cause Cause { get; init; }

    /// <summary>A bad case that ends in a host BUG.</summary>
    internal FieldCase BugsTheVm() => this with { Expected = Expectation.LawBroken, Law = HostEvents.HostBug, Cause = Cause.Host };

    /// <summary>A bad case in which agents do not get on.</summary>
    internal FieldCase Ends(Expectation expected, Cause cause = Cause.Host) => this with { Expected = expected, Cause = cause };
}
