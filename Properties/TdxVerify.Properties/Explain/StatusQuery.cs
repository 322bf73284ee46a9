using TdxVerify.Abi;

namespace TdxVerify.Properties.Explain;

/// <summary>A status that somebody asks about.</summary>
/// <param name="Status">The status.</param>
/// <param name="AnyDetails">It was given by its name alone: bits 31:0 are not known.</param>
public readonly record struct StatusQuery(StatusCode Status, bool AnyDetails = false)
{
    /// <summary>The name without operand or details, such as <c>TDX_OPERAND_BUSY</c>; null where there is none.</summary>
    public string? BareName => Status.Info?.Name;

    /// <summary>The readable name, such as <c>TDX_OPERAND_BUSY(SEPT_TREE)</c>; hexadecimal where there is none.</summary>
    public string Name => KernelStatus.NameOf(Status.Value) ?? (AnyDetails ? BareName : null) ?? Status.Name;

    /// <summary>Whether a status is one that was asked about.</summary>
    public bool Matches(ulong status) =>
        AnyDetails ? new StatusCode(status).Base == Status.Base : status == Status.Value;
}
