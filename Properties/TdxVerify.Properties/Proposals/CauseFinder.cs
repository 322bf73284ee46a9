using TdxVerify.Host;
using TdxVerify.Host.Field;
using TdxVerify.Host.Modules;
using TdxVerify.Host.Proposals;

namespace TdxVerify.Properties.Proposals;

/// <summary>Finds whose fault it is that a property does not hold, by running the configuration again with one thing changed.</summary>
/// <remarks>
/// It is the guest's if guests that mean well make it hold; else the host program's if another proposal has no
/// fault there, on the same module; else the module's if a module with something made differently makes it hold; else,
/// again, the host program's.
/// </remarks>
internal sealed class CauseFinder(SystemCache systems)
{
    /// <summary>Whose fault it is.</summary>
    public ProposalCause Find(Proposal proposal, StandardConfiguration standard, ProposalProperty property)
    {
        var facts = new List<string>();
        Cause? kind = null;
        if (standard.IsMalicious && Holds(standard.Benign().With(proposal), standard, property))
        {
            facts.Add("with guests that mean well it holds");
            kind = Cause.Guest;
        }

        if (Other(proposal, standard) is { } other)
        {
            facts.Add($"{other.Name} has no fault here on the same module");
            kind ??= Cause.Host;
        }

        string[] modules = [.. ModuleVariants.All.Where(variant => Holds(variant.In(standard.With(proposal)), standard, property)).Select(variant => variant.What)];
        if (modules.Length > 0)
        {
            facts.Add($"it holds on a module where {string.Join(", or where ", modules)}");
            kind ??= Cause.Module;
        }

        return new ProposalCause(kind ?? Cause.Host, facts.Count > 0 ? string.Join("; ", facts) : "no other proposal and no other module makes it hold");
    }

    // The baselines first. One that does harm of another kind is no better; proposals that want another module, or another
    // TD, say nothing about the host's program.
    private Proposal? Other(Proposal proposal, StandardConfiguration standard) =>
        ProposalTable.All.Where(other => other.Name != proposal.Name && other.Profile == proposal.Profile && other is { Leaves: null, PreparesTd: null })
            .OrderByDescending(other => other == Upstream.V6_19).ThenByDescending(other => other == Upstream.V6_16)
            .FirstOrDefault(other => HoldsAll(standard, other));

    private bool HoldsAll(StandardConfiguration standard, Proposal proposal)
    {
        var result = new ConfigurationResult(standard, systems.Of(standard.With(proposal), !standard.IsExplored));
        return ProposalProperties.All.All(property => !result.Asks(property) || result.Holds(property) == true);
    }

    private bool Holds(Configuration configuration, StandardConfiguration standard, ProposalProperty property) =>
        systems.Of(configuration, !standard.IsExplored).Holds(ConfigurationResult.InSystem(property)) == true;
}
