using TdxVerify.Abi;

namespace TdxVerify.Properties.Explain;

/// <summary>Says what a status means, where it comes from and whether to retry.</summary>
public static class StatusExplainer
{
    /// <summary>Explains a status.</summary>
    /// <param name="query">The status.</param>
    /// <param name="leaf">The leaf that returned it, as in <c>TDH.MEM.PAGE.AUG</c>; null where that is not known.</param>
    /// <param name="origins">The declared steps.</param>
    public static StatusExplanation Explain(StatusQuery query, string? leaf, IStatusOrigins origins)
    {
        StatusCode status = query.Status;
        StatusInfo? row = status.Info;
        string? kernel = KernelStatus.MeaningOf(status.Value);
        return new StatusExplanation(
            query,
            Kind: kernel is not null ? "Linux's own value: the TDX module did not answer" : row?.Kind ?? "not a status of the modelled TDX modules",
            Class: kernel is not null ? "software error" : row?.Class ?? ClassName(status.Class),
            Detail: query.AnyDetails || kernel is not null ? "" : Detail(status),
            Retry: row?.Retry,
            RetryAdvice: kernel is not null ? "no: SEAMCALL itself does not work on this CPU" : Advice(status, row),
            Note: kernel ?? row?.Note ?? "",
            Leaf: leaf,
            LeafIsModelled: leaf is null ? origins.Leaves.Count > 0 : origins.Leaves.Contains(leaf),
            Origins: origins.Find(query, leaf));
    }

    private static string ClassName(byte number) =>
        StatusTable.Rows.FirstOrDefault(row => new StatusCode(row.Value).Class == number)?.Class ?? $"unknown class 0x{number:x2}";

    private static string Detail(StatusCode status)
    {
        uint details = status.Details;
        if (status.Info is null)
            return details == 0 ? "" : $"0x{details:x}";
        if (status.Info.Value is Status.TDX_L2_SEPT_WALK_FAILED or Status.TDX_L2_SEPT_ENTRY_NOT_FREE)
            return $"L2 VM {details >> 16}, level {details & 0xFFFF} ({SeptEntryDetails.LevelName((int)(details & 0xFFFF))})";
        return StatusTable.DetailOf(status.Value) switch
        {
            StatusDetail.ExitReason => details == 0 ? "" : $"VM exit reason {VmExitReason.Describe(details)}",
            StatusDetail.Level => $"S-EPT level {details} ({SeptEntryDetails.LevelName((int)details)})",
            StatusDetail.Msr => $"MSR 0x{details:x}",
            StatusDetail.X2ApicId => $"x2APIC id {details}",
            _ when details == 0 && !status.Name.Contains('(', StringComparison.Ordinal) => "",
            _ => $"operand {StatusTable.OperandName(details) ?? "unknown"} (id 0x{details:x})",
        };
    }

    private static string Advice(StatusCode status, StatusInfo? row) => row?.Retry switch
    {
        Retry.NotApplicable when row.Value == Status.TDX_SUCCESS => "nothing to retry: the call succeeded",
        Retry.NotApplicable => "nothing to retry: it is information and not an error",
        Retry.Yes => "yes: the same call with the same operands can succeed later",
        Retry.After => "only after the host did something else first",
        Retry.No when row.Value == Status.TDX_NON_RECOVERABLE_VCPU => "no: this vCPU cannot be entered again",
        Retry.No when status.IsFatal || row.Value == Status.TDX_TD_FATAL => "no: the TD cannot run any more; it can only be torn down",
        Retry.No => "no: the same call fails again until the operands or the state change",
        _ when !status.IsError => "nothing to retry: bit 63 is clear, it is no error",
        _ when status.IsNonRecoverable => "probably not: bit 62 says non-recoverable",
        _ => "probably: bit 62 is clear, which says recoverable",
    };
}
