using System.Collections.Frozen;

namespace TdxVerify.Abi;

/// <summary>All completion statuses of the module, with their readable names.</summary>
public static class StatusTable
{
    private static readonly FrozenDictionary<ulong, StatusInfo> s_byValue =
        StatusRows.All.GroupBy(row => row.Value).ToFrozenDictionary(group => group.Key, group => group.First());

    private static readonly FrozenDictionary<uint, string> s_operands =
        Enum.GetValues<OperandId>().ToFrozenDictionary(id => (uint)id, id => id.ToString());

    /// <summary>All rows.</summary>
    public static IReadOnlyList<StatusInfo> Rows => StatusRows.All;

    /// <summary>The row for a status, whatever its operand id or details; null where there is none.</summary>
    public static StatusInfo? Find(ulong status) => s_byValue.GetValueOrDefault(status & StatusCode.NameMask);

    /// <summary>The name of an operand id, such as <c>SEPT_TREE</c>; null where there is none.</summary>
    public static string? OperandName(uint operandId) => s_operands.GetValueOrDefault(operandId);

    /// <summary>What bits 31:0 of a status hold.</summary>
    public static StatusDetail DetailOf(ulong status) => (status & StatusCode.NameMask) switch
    {
        Status.TDX_SUCCESS or Status.TDX_NON_RECOVERABLE_VCPU or Status.TDX_NON_RECOVERABLE_TD
            or Status.TDX_NON_RECOVERABLE_TD_NON_ACCESSIBLE => StatusDetail.ExitReason,
        Status.TDX_PAGE_ALREADY_ACCEPTED or Status.TDX_PAGE_SIZE_MISMATCH => StatusDetail.Level,
        Status.TDX_INCONSISTENT_MSR or Status.TDX_INCORRECT_MSR_VALUE => StatusDetail.Msr,
        Status.TDX_X2APIC_ID_NOT_UNIQUE => StatusDetail.X2ApicId,
        _ => StatusDetail.Operand,
    };

    /// <summary>The readable name, such as <c>TDX_OPERAND_BUSY(SEPT_TREE)</c>; hexadecimal where there is none.</summary>
    public static string NameOf(ulong status)
    {
        if (Find(status) is not { } row)
            return $"0x{status:x}";

        uint details = (uint)status;
        switch (DetailOf(status))
        {
            case StatusDetail.ExitReason:
                return details == 0 ? row.Name : $"{row.Name}(exit reason {details})";
            case StatusDetail.Level:
                return $"{row.Name}(level {details})";
            case StatusDetail.Msr:
            case StatusDetail.X2ApicId:
                return $"{row.Name}(0x{details:x})";
            default:
                // Operand id 0 is RAX; only statuses about operands mean it.
                if (details == 0 && row.Value is not (Status.TDX_OPERAND_INVALID or Status.TDX_OPERAND_BUSY))
                    return row.Name;
                return $"{row.Name}({OperandName(details) ?? $"0x{details:x}"})";
        }
    }
}

/// <summary>What bits 31:0 of a status hold.</summary>
public enum StatusDetail
{
    /// <summary>An operand id.</summary>
    Operand,

    /// <summary>A VM exit reason: the call was a TDH.VP.ENTER that ended in a TD exit.</summary>
    ExitReason,

    /// <summary>The S-EPT level of a mapping.</summary>
    Level,

    /// <summary>An MSR index.</summary>
    Msr,

    /// <summary>An x2APIC id.</summary>
    X2ApicId,
}
