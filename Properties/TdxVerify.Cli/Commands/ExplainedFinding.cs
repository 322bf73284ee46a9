using TdxVerify.Properties.Explain;

namespace TdxVerify.Cli.Commands;

/// <summary>A status, where it was found and what it means.</summary>
internal sealed record ExplainedFinding(LogFinding Finding, StatusExplanation Explanation)
{
    /// <summary>The registers can be read as an S-EPT entry. The kernel's names for them say so even without a leaf.</summary>
    public bool HasSeptEntry => Finding is { Rcx: not null, Rdx: not null }
        && (Explanation.Leaf is { } leaf ? SeptEntryDetails.IsReportedBy(leaf) : Finding.Text.Contains("level_state", StringComparison.Ordinal));

    /// <summary>The registers can be read as a PAMT entry.</summary>
    public bool HasPamtEntry => Finding is { Rcx: not null, Rdx: not null } && Explanation.Leaf is { } leaf && PamtEntryDetails.IsReportedBy(leaf);

    public SeptEntryDetails? SeptEntry => HasSeptEntry ? SeptEntryDetails.Decode(Finding.Rcx!.Value, Finding.Rdx!.Value) : null;

    public PamtEntryDetails? PamtEntry => HasPamtEntry ? PamtEntryDetails.Decode(Finding.Rcx!.Value, Finding.Rdx!.Value, Finding.R8) : null;
}
