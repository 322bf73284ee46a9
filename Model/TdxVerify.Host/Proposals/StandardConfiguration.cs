using System.Collections.Immutable;
using TdxVerify.Host.Kvm;

namespace TdxVerify.Host.Proposals;

/// <summary>A small system on which proposals are tried: everything but the host's programs.</summary>
/// <param name="Name">Its name.</param>
/// <param name="What">What happens in it, in one sentence.</param>
public sealed record StandardConfiguration(string Name, string What)
{
    /// <summary>The TD.</summary>
    public required TdLayout Td { get; init; }

    /// <summary>The host's threads.</summary>
    public required ImmutableArray<HostRole> Roles { get; init; }

    /// <summary>What each vCPU runs.</summary>
    public ImmutableArray<GuestCode> Guests { get; init; } = [];

    /// <summary>For a malicious guest: what guests would run if they meant well. Empty: they do.</summary>
    public ImmutableArray<GuestCode> BenignGuests { get; init; } = [];

    /// <summary>When guests are interrupted.</summary>
    public InterruptMode Interrupts { get; init; }

    /// <summary>A guest does what no guest should: only that it cannot bug the host is asked for.</summary>
    public bool IsMalicious => !BenignGuests.IsEmpty;

    /// <summary>Small enough to be explored to the end; others are explored in part, up to renaming and order, and sampled.</summary>
    public bool IsExplored { get; init; } = true;

    /// <summary>Laws besides those that always hold.</summary>
    public HostLaws Laws { get; init; } = HostLaws.NoHostBug | HostLaws.MirrorAgrees;

    /// <summary>With the programs of a proposal, and the module that it assumes.</summary>
    public Configuration With(Proposal proposal) => Specialisation.Of(Whole(proposal));

    /// <summary>With the programs of a host, on module 1.5.05.</summary>
    /// <param name="host">The host's name.</param>
    /// <param name="programs">Its programs.</param>
    public Configuration With(string host, HostPrograms programs) => Specialisation.Of(Whole(host, programs));

    /// <summary>With whole programs, what the configuration cannot observe included.</summary>
    internal Configuration Whole(Proposal proposal) => Whole(proposal.Name, proposal.Host) with
    {
        Profile = proposal.Profile,
        Leaves = proposal.Leaves,
        Td = proposal.PreparesTd?.Invoke(Td) ?? Td,
    };

    private Configuration Whole(string host, HostPrograms programs) => Specialisation.WithUsedVariables(new Configuration($"{host} on {Name}")
    {
        Td = Td,
        Agents = [.. Roles.Select(role => role.With(programs))],
        Guests = Guests,
        Interrupts = Interrupts,
        Laws = Laws,

        // Calls that build a TD change what these steps look at.
        JoinsUnseenSteps = Td.IsFinalized,
        Variables = Td.IsFinalized
            ? ImmutableDictionary<string, ulong>.Empty.Add(KvmVariables.Runnable, 1).Add(KvmVariables.PreFaultAllowed, 1)
            : ImmutableDictionary<string, ulong>.Empty,
    });

    /// <summary>The same with guests that mean well.</summary>
    public StandardConfiguration Benign() => this with { Guests = BenignGuests, BenignGuests = [] };
}
