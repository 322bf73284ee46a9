using System.Collections.Immutable;

namespace TdxVerify.Host;

/// <summary>What is at a GPA at the start.</summary>
public enum GpaStart
{
    /// <summary>Nothing: the entry is FREE.</summary>
    Free,

    /// <summary>A page added before the TD was finalized, or accepted: MAPPED.</summary>
    Mapped,

    /// <summary>A page added by TDH.MEM.PAGE.AUG and not accepted: PENDING.</summary>
    Pending,

    /// <summary>A page that was mapped and is blocked: BLOCKED.</summary>
    Blocked,

    /// <summary>A page that was pending and is blocked: PENDING_BLOCKED.</summary>
    PendingBlocked,
}

/// <summary>A GPA of a configuration.</summary>
public sealed record GpaLayout
{
    /// <summary>What is there at the start.</summary>
    public GpaStart Start { get; init; }

    /// <summary>The level of its page: 0, or 1 for 2 MiB.</summary>
    public int Level { get; init; }

    /// <summary>It is in a 2 MiB region, and so under an S-EPT page, of its own.</summary>
    public bool OwnTable { get; init; }

    /// <summary>The S-EPT page above it is there at the start; false: it still has to be added.</summary>
    public bool HasTable { get; init; } = true;

    /// <summary>The number of another GPA whose page it uses; null: it has one of its own.</summary>
    public int? SharesPageOf { get; init; }

    /// <summary>Several GPAs with the same start.</summary>
    public static ImmutableArray<GpaLayout> Many(int count, GpaStart start) => [.. Enumerable.Repeat(new GpaLayout { Start = start }, count)];
}

/// <summary>The TD of a configuration at the start. vCPU n is initialised, and associated with logical processor n.</summary>
public sealed record TdLayout
{
    /// <summary>vCPUs that the configuration has a place for.</summary>
    public int Vcpus { get; init; } = 1;

    /// <summary>vCPUs, counted from 0, that are initialised at the start; null: all.</summary>
    public int? InitialisedVcpus { get; init; }

    /// <summary>The GPAs.</summary>
    public ImmutableArray<GpaLayout> Gpas { get; init; } = [new GpaLayout()];

    /// <summary>The TD is finalized: OP_STATE is RUNNABLE.</summary>
    public bool IsFinalized { get; init; } = true;

    /// <summary>ATTRIBUTES.SEPT_VE_DISABLE: an access to a pending page is an EPT violation, not a #VE.</summary>
    public bool SeptVeDisable { get; init; } = true;
}
