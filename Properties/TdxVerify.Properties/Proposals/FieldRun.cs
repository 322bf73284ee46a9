using System.Collections.Concurrent;
using TdxVerify.Host;
using TdxVerify.Host.Field;
using TdxVerify.Host.Modules;
using TdxVerify.Properties.Exploration.Reports;

namespace TdxVerify.Properties.Proposals;

/// <summary>What came of a bug of the field, or of its fix.</summary>
/// <param name="Case">The case.</param>
/// <param name="Found">What came of it; null: not decided.</param>
/// <param name="Law">The law that is broken; empty: none.</param>
/// <param name="Run">The run that shows it; null: it holds.</param>
/// <param name="Cause">Whose fault it is.</param>
/// <param name="Result">How it was looked at.</param>
public sealed record FieldResult(FieldCase Case, Expectation? Found, string Law, Counterexample? Run, Cause Cause, SystemResult Result)
{
    /// <summary>It came as expected.</summary>
    public bool IsAsExpected => Found == Case.Expected && Law == Case.Law && Cause == Case.Cause;

    /// <summary>What came of it, as tables name it.</summary>
    public string VerdictName => NameOf(Found);

    /// <summary>Whose fault it is, as tables name it; empty: nobody's.</summary>
    public string CauseName => NameOf(Cause);

    /// <summary>An expectation as tables name it.</summary>
    public static string NameOf(Expectation? found) => found switch
    {
        Expectation.Held => "holds",
        Expectation.LawBroken => "law broken",
        Expectation.Livelock => "livelock",
        Expectation.Starvation => "starvation",
        Expectation.WeakStarvation => "weak starvation",
        _ => "not decided",
    };

    /// <summary>A cause as tables name it.</summary>
    public static string NameOf(Cause cause) => cause == Cause.None ? "" : new ProposalCause(cause, "").Name;
}

/// <summary>Runs the bugs of the field and their fixes.</summary>
public static class FieldRun
{
    /// <summary>Runs some of them.</summary>
    /// <param name="cases">Which.</param>
    /// <param name="workers">How many at the same time.</param>
    /// <param name="limits">How far each is looked at.</param>
    public static IReadOnlyList<FieldResult> Run(IReadOnlyList<FieldCase> cases, int workers, SystemLimits limits)
    {
        var results = new FieldResult[cases.Count];
        Parallel.ForEach(
            Partitioner.Create(Enumerable.Range(0, cases.Count), EnumerablePartitionerOptions.NoBuffering),
            new ParallelOptions { MaxDegreeOfParallelism = workers },
            i => results[i] = Run(cases[i], limits));
        return results;
    }

    private static FieldResult Run(FieldCase field, SystemLimits limits)
    {
        SystemResult result = SystemRun.Of(field.Configuration, limits);
        (Expectation? found, ProposalFinding? finding) = Judge(result);
        string law = found == Expectation.LawBroken ? finding!.Run.Property : "";
        Cause cause = finding is null || found is null ? Cause.None : FindCause(field, limits);
        return new FieldResult(field, found, law, finding?.Run, cause, result);
    }

    private static (Expectation? Found, ProposalFinding? Finding) Judge(SystemResult result)
    {
        ProposalFinding? Of(bool weakly, params ProposalProperty[] properties) =>
            result.Findings.Where(finding => finding.OnlyWeakly == weakly && properties.Contains(finding.Property)).MinBy(finding => finding.Run.Steps);

        if (Of(false, ProposalProperty.BugFree, ProposalProperty.TlbSafe, ProposalProperty.MirrorAgrees) is { } broken)
            return (Expectation.LawBroken, broken);
        if (result.Coverage != Coverage.Complete)
            return (null, null);
        if (Of(false, ProposalProperty.LivelockFree) is { } livelock)
            return (Expectation.Livelock, livelock);
        if (Of(false, ProposalProperty.StarvationFree) is { } starvation)
            return (Expectation.Starvation, starvation);
        return Of(true, ProposalProperty.LivelockFree, ProposalProperty.StarvationFree) is { } weak ? (Expectation.WeakStarvation, weak) : (Expectation.Held, null);
    }

    // The host's, if some other host does better in the same place; else the module's, if another module lets this host do better.
    private static Cause FindCause(FieldCase field, SystemLimits limits)
    {
        IEnumerable<FieldCase> fixes = FieldTable.All.Where(other => other.Bug == field.Bug && other != field && HaveSamePlace(other.Configuration, field.Configuration));
        if (fixes.Any(fix => Holds(fix.Configuration, limits)))
            return Cause.Host;
        return ModuleVariants.All.Any(variant => Holds(variant.In(field.Configuration), limits)) ? Cause.Module : Cause.Host;
    }

    private static bool HaveSamePlace(Configuration one, Configuration other) =>
        one.Td == other.Td && one.Interrupts == other.Interrupts && one.Guests.SequenceEqual(other.Guests) && one.Agents.Length == other.Agents.Length;

    private static bool Holds(Configuration configuration, SystemLimits limits) => Judge(SystemRun.Of(configuration, limits)).Found == Expectation.Held;
}
