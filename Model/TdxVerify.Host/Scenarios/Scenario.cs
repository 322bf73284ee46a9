namespace TdxVerify.Host;

/// <summary>A named configuration that shows one thing about calls that overlap.</summary>
/// <param name="Question">What it asks, in one line.</param>
/// <param name="Source">Where the question comes from: a fact file, or a mail.</param>
/// <param name="Configuration">The configuration; its name is the scenario's.</param>
public sealed record Scenario(string Question, string Source, Configuration Configuration)
{
    /// <summary>Its name.</summary>
    public string Name => Configuration.Name;
}
