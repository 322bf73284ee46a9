using TdxVerify.Model;
using TdxVerify.Properties.Runs;

namespace TdxVerify.Properties.Campaigns;

/// <summary>A law's share in a run.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Statement">What it says.</param>
/// <param name="Checked">Events that it was checked on.</param>
/// <param name="Sometimes">Its interesting cases, and how often each occurred.</param>
public sealed record LawReport(string Name, string Statement, long Checked, IReadOnlyList<(string Case, long Count)> Sometimes);

/// <summary>How often a step of a leaf decided.</summary>
/// <param name="Leaf">The leaf.</param>
/// <param name="Success">Calls in which every check held.</param>
/// <param name="Failed">By step, from 1: calls that it decided against; position 0 is unused.</param>
/// <param name="Steps">The steps.</param>
public sealed record LeafReport(string Leaf, long Success, IReadOnlyList<long> Failed, IReadOnlyList<Step<ObservedState>> Steps);

/// <summary>A broken law, made small.</summary>
/// <param name="Failure">The law, and how it was broken.</param>
/// <param name="Events">The smallest sequence found, with its answers.</param>
public sealed record FoundFailure(RunFailure Failure, IReadOnlyList<PlannedEvent> Events)
{
    /// <summary>The seed of the sequence that broke the law first; null: it is from a file.</summary>
    public ulong? Seed { get; init; }

    /// <summary>The operations of that sequence.</summary>
    public int Operations { get; init; }

    /// <summary>Its events before it was made small.</summary>
    public int OriginalEvents { get; init; }
}

/// <summary>What a property run found.</summary>
public sealed record PropsResult
{
    /// <summary>SEAMCALLs, entries and exits.</summary>
    public required long Calls { get; init; }

    /// <summary>Sequences.</summary>
    public required long Sequences { get; init; }

    /// <summary>How long it took.</summary>
    public required double Seconds { get; init; }

    /// <summary>The seed.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Its laws.</summary>
    public required IReadOnlyList<LawReport> Laws { get; init; }

    /// <summary>Leaf by leaf, which steps decided.</summary>
    public required IReadOnlyList<LeafReport> Leaves { get; init; }

    /// <summary>Leaf by leaf, the S-EPT entry states that were met, by <see cref="SeptState"/>.</summary>
    public required IReadOnlyList<(string Leaf, IReadOnlyList<long> States)> SeptStates { get; init; }

    /// <summary>The broken law; null: all held.</summary>
    public required FoundFailure? Failure { get; init; }

    /// <summary>It was ended before its time.</summary>
    public bool WasInterrupted { get; init; }

    /// <summary>Cases that never occurred, as <c>law: case</c>.</summary>
    public IEnumerable<string> MissingCases =>
        Laws.SelectMany(law => law.Sometimes.Where(item => item.Count == 0).Select(item => $"{law.Name}: {item.Case}"));
}
