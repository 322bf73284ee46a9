using TdxVerify.Host;
using TdxVerify.Host.Proposals;

namespace TdxVerify.Properties.Proposals;

/// <summary>What came of a proposal in one standard configuration.</summary>
/// <param name="Configuration">The configuration.</param>
/// <param name="Result">What came of it.</param>
public sealed record ConfigurationResult(StandardConfiguration Configuration, SystemResult Result)
{
    /// <summary>The property is asked for in this configuration. Of a guest that misbehaves nothing is asked but that it cannot do harm.</summary>
    public bool Asks(ProposalProperty property) => property switch
    {
        ProposalProperty.TlbSafe => true,
        ProposalProperty.MirrorAgrees => Configuration.Laws.HasFlag(HostLaws.MirrorAgrees),
        ProposalProperty.GuestCannotBug => Configuration.IsMalicious,
        ProposalProperty.BugFree => !Configuration.IsMalicious,
        _ => !Configuration.IsMalicious && Result.HasProgress,
    };

    /// <summary>True: proven; false: refuted; null: not decided. Only where it is asked for.</summary>
    public bool? Holds(ProposalProperty property, bool weakly = false) => Result.Holds(InSystem(property), weakly);

    /// <summary>The run that refutes a property, or would under weak fairness; null: there is none.</summary>
    public ProposalFinding? Finding(ProposalProperty property) => !Asks(property)
        ? null
        : Result.Findings.Where(finding => finding.Property == InSystem(property)).OrderBy(finding => finding.OnlyWeakly).FirstOrDefault();

    /// <summary>What a system is judged by, which does not know whose guests it has.</summary>
    internal static ProposalProperty InSystem(ProposalProperty property) =>
        property == ProposalProperty.GuestCannotBug ? ProposalProperty.BugFree : property;
}
