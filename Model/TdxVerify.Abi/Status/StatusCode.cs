using System.Globalization;

namespace TdxVerify.Abi;

/// <summary>
/// A completion status as the TDX module returns it in RAX: operand id or level-2 details in bits 31:0, level-1
/// details in 39:32, class in 47:40, then the flags (facts/status.csv).
/// </summary>
/// <param name="Value">RAX.</param>
public readonly record struct StatusCode(ulong Value)
{
    /// <summary>Bit 63: the call failed.</summary>
    public const ulong ErrorBit = 1UL << 63;

    /// <summary>Bits that name the status, operand id and details left out.</summary>
    public const ulong NameMask = 0xFFFF_FFFF_0000_0000;

    /// <summary>Bit 63: the call failed. Clear: success, or information.</summary>
    public bool IsError => (Value & ErrorBit) != 0;

    /// <summary>Bit 62: calling again cannot help.</summary>
    public bool IsNonRecoverable => (Value & (1UL << 62)) != 0;

    /// <summary>Bit 61: the TD or the module is lost.</summary>
    public bool IsFatal => (Value & (1UL << 61)) != 0;

    /// <summary>Bit 60: host recoverability hint.</summary>
    public bool HasHostRecoverabilityHint => (Value & (1UL << 60)) != 0;

    /// <summary>Bits 47:40.</summary>
    public byte Class => (byte)(Value >> 40);

    /// <summary>Bits 31:0: operand id, or details.</summary>
    public uint Details => (uint)Value;

    /// <summary>The status without operand id or details.</summary>
    public StatusCode Base => new(Value & NameMask);

    /// <summary>The row of the status table, or null where no module returns this.</summary>
    public StatusInfo? Info => StatusTable.Find(Value);

    /// <summary>The readable name, such as <c>TDX_OPERAND_BUSY(SEPT_TREE)</c>; hexadecimal where there is none.</summary>
    public string Name => StatusTable.NameOf(Value);

    /// <inheritdoc/>
    public override string ToString() => Name;

    /// <summary>Parses a status in hexadecimal with or without <c>0x</c>.</summary>
    public static bool TryParseHex(string text, out StatusCode status)
    {
        ReadOnlySpan<char> digits = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? text.AsSpan(2) : text;
        bool parsed = ulong.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong value);
        status = new StatusCode(value);
        return parsed;
    }
}
