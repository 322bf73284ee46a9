using TdxVerify.Host.Field;
using TdxVerify.Host.Proposals;

namespace TdxVerify.Properties.Proposals;

/// <summary>What a proposal is, all in all.</summary>
public enum ProposalVerdict
{
    /// <summary>Every property is proven in every configuration.</summary>
    Safe,

    /// <summary>A property is refuted.</summary>
    Unsafe,

    /// <summary>Nothing is refuted, and something is not decided.</summary>
    Undecided,
}

/// <summary>Why a property does not hold.</summary>
/// <param name="Kind">Whose fault it is.</param>
/// <param name="Why">What shows that, in a sentence.</param>
public sealed record ProposalCause(Cause Kind, string Why)
{
    /// <summary>As texts name it.</summary>
    public string Name => Kind switch
    {
        Cause.Guest => "guest misbehaviour",
        Cause.Module => "module",
        _ => "host program",
    };
}

/// <summary>A property that does not hold.</summary>
/// <param name="Property">Which.</param>
/// <param name="In">The configuration with the shortest run that shows it.</param>
/// <param name="Finding">The run.</param>
/// <param name="Cause">Why; null: not looked for.</param>
public sealed record Refutation(ProposalProperty Property, ConfigurationResult In, ProposalFinding Finding, ProposalCause? Cause);

/// <summary>What came of a proposal.</summary>
/// <param name="Proposal">The proposal.</param>
/// <param name="Results">One for each configuration that was looked at.</param>
/// <param name="Missing">Configurations that are yet to be looked at.</param>
/// <param name="Refutations">The properties that do not hold, in the order of the columns.</param>
/// <remarks>
/// A property is proven for the configurations that are small enough to be explored to the end. In the larger ones it can
/// be refuted; else they decide nothing.
/// </remarks>
public sealed record ProposalReport(Proposal Proposal, IReadOnlyList<ConfigurationResult> Results, int Missing, IReadOnlyList<Refutation> Refutations)
{
    /// <summary>All in all.</summary>
    public ProposalVerdict Verdict => ProposalProperties.All.Select(property => Holds(property)).Aggregate((bool?)true, Judgement.And) switch
    {
        true => ProposalVerdict.Safe,
        false => ProposalVerdict.Unsafe,
        null => ProposalVerdict.Undecided,
    };

    /// <summary>The configurations for which cells are proven: those that are explored to the end; all, where none of them is.</summary>
    public IEnumerable<ConfigurationResult> Explored =>
        Results.Any(result => result.Configuration.IsExplored) ? Results.Where(result => result.Configuration.IsExplored) : Results;

    /// <summary>Bounds over the configurations that are explored to the end; proven where all of them were.</summary>
    public Bounds Bounds
    {
        get
        {
            Bounds all = Explored.Select(result => result.Result.Bounds).Aggregate(Bounds.Never, (one, other) => one.With(other));
            return Missing > 0 || !Explored.Any() ? all.With(Bounds.Unknown) : all;
        }
    }

    /// <summary>States of all configurations.</summary>
    public long States => Results.Sum(result => result.Result.States);

    /// <summary>True: proven in every configuration that asks for it; false: refuted in one; null: not decided.</summary>
    /// <param name="property">The property.</param>
    /// <param name="weakly">Under weak fairness too.</param>
    public bool? Holds(ProposalProperty property, bool weakly = false)
    {
        if (Results.Any(result => result.Asks(property) && result.Holds(property, weakly) == false))
            return false;
        return Missing > 0 || !Explored.Any() || Explored.Any(result => result.Asks(property) && result.Holds(property, weakly) is null) ? null : true;
    }
}
