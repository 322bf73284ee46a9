namespace TdxVerify.Host;

/// <summary>A named configuration that shows one thing about calls that overlap.</summary>
/// <param name="Question">What it asks, in one line.</param>
/// <param name="Source">Where the question comes from: a fact file, or a mail.</param>
/// <param name="Answer">What exploring it shows, in one line; the verdict itself is pinned in the manifest.</param>
/// <param name="Configuration">The configuration; its name is the scenario's.</param>
public sealed record Scenario(string Question, string Source, string Answer, Configuration Configuration)
{
    /// <summary>Its name.</summary>
    public string Name => Configuration.Name;

    /// <summary>Pages of memory that the guest can have.</summary>
    public int Pages => Configuration.Td.Gpas.Count(gpa => gpa.SharesPageOf is null);
}
