using System.Collections.Immutable;
using TdxVerify.Host.Kvm;

namespace TdxVerify.Host.Proposals;

/// <summary>A host thread of a standard configuration: which path it runs, and on what.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Path">The path; the proposal says by which program.</param>
public sealed record HostRole(string Name, HostPath Path)
{
    /// <summary>The logical processor that it runs on.</summary>
    public int Lp { get; init; }

    /// <summary>Its vCPU; null: none.</summary>
    public int? Vcpu { get; init; }

    /// <summary>The GPAs that it works on.</summary>
    public ImmutableArray<int> Gpas { get; init; } = [];

    /// <summary>How often it runs its path.</summary>
    public int Repeat { get; init; } = HostAgent.Endless;

    /// <summary>vCPU n's thread, on processor n.</summary>
    public static HostRole RunsVcpu(int vcpu, HostPath path = HostPath.RunVcpu) => new($"vCPU {vcpu}", path) { Lp = vcpu, Vcpu = vcpu };

    /// <summary>The agent that runs a host's program.</summary>
    internal HostAgent With(HostPrograms host) => new(Name, host[Path]) { Lp = Lp, Vcpu = Vcpu, Gpas = Gpas, Repeat = Repeat };
}
