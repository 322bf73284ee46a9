namespace TdxVerify.Properties.Sweeps;

/// <summary>A TD of a <see cref="SweepStage"/>, with vCPUs in every state.</summary>
internal sealed class StagedTd
{
    /// <summary>HPA of the TDR.</summary>
    public ulong Tdr { get; set; }

    /// <summary>1 TDVPS page.</summary>
    public ulong NewVcpu { get; set; }

    /// <summary>5 TDVPS pages.</summary>
    public ulong IncompleteVcpu { get; set; }

    /// <summary>6 TDVPS pages, not initialised.</summary>
    public ulong CompleteVcpu { get; set; }

    /// <summary>15 TDVPS pages, not initialised.</summary>
    public ulong FullVcpu { get; set; }

    /// <summary>READY, associated with processor 0.</summary>
    public ulong ReadyVcpu { get; set; }

    /// <summary>READY, associated with processor 1.</summary>
    public ulong ElsewhereVcpu { get; set; }

    /// <summary>In the guest, if the TD runs.</summary>
    public ulong ActiveVcpu { get; set; }

    /// <summary>A mapped 4 KiB page.</summary>
    public ulong SmallPage { get; set; }

    /// <summary>An S-EPT page.</summary>
    public ulong TablePage { get; set; }
}
