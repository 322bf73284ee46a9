using TdxVerify.Properties.Exploration.Reports;

namespace TdxVerify.Properties.Proposals;

/// <summary>How much of a system was looked at, and so what is decided.</summary>
public enum Coverage
{
    /// <summary>All states: everything is decided.</summary>
    Complete,

    /// <summary>All states up to renaming and the order of independent steps: laws are decided, whether agents get on is not.</summary>
    Reduced,

    /// <summary>A part: what was found broken is, nothing else is decided.</summary>
    Partial,

    /// <summary>Random schedules: the same.</summary>
    Sampled,
}

/// <summary>Random schedules that were tried.</summary>
/// <param name="Schedules">How many.</param>
/// <param name="Steps">Their steps together.</param>
public sealed record SampleReport(int Schedules, long Steps);

/// <summary>Something that is not as it should be.</summary>
/// <param name="Property">What it refutes.</param>
/// <param name="OnlyWeakly">Only if what is possible again and again may be refused each time: it is told, but refutes nothing.</param>
/// <param name="IsShortest">No run with fewer steps shows it.</param>
/// <param name="Run">The run.</param>
public sealed record ProposalFinding(ProposalProperty Property, bool OnlyWeakly, bool IsShortest, Counterexample Run);

/// <summary>What came of one system.</summary>
/// <param name="Coverage">How much of it was looked at.</param>
/// <param name="States">States, of the search that went furthest.</param>
/// <param name="Seconds">Time.</param>
/// <param name="Findings">What is wrong; each property at most once strongly and once weakly.</param>
/// <param name="Bounds">Bounds.</param>
/// <param name="Sample">What was sampled; null: nothing.</param>
/// <param name="HasProgress">There is progress that agents can make.</param>
public sealed record SystemResult(
    Coverage Coverage, long States, double Seconds, IReadOnlyList<ProposalFinding> Findings, Bounds Bounds, SampleReport? Sample, bool HasProgress)
{
    /// <summary>True: proven; false: refuted; null: not decided.</summary>
    /// <param name="property">Of what.</param>
    /// <param name="weakly">Under weak fairness too.</param>
    public bool? Holds(ProposalProperty property, bool weakly = false)
    {
        if (Findings.Any(finding => finding.Property == property && (weakly || !finding.OnlyWeakly)))
            return false;
        bool isLiveness = property is ProposalProperty.LivelockFree or ProposalProperty.StarvationFree;
        return Coverage == Coverage.Complete || (Coverage == Coverage.Reduced && !isLiveness) ? true : null;
    }
}
