using System.Globalization;
using TdxVerify.Abi;

namespace TdxVerify.Properties.Explain;

/// <summary>
/// Reads a status as people write it: <c>0x8000020000000092</c>, <c>8000020000000092</c>, a decimal (signed, too,
/// as <c>%lld</c> prints it), <c>TDX_OPERAND_BUSY</c>, <c>TDX_OPERAND_BUSY(SEPT_TREE)</c>,
/// <c>TDX_OPERAND_BUSY | TD_EPOCH</c>.
/// </summary>
public static class StatusParser
{
    private const int HexDigits = 16;

    private static readonly Dictionary<string, StatusInfo> s_byName = StatusTable.Rows
        .GroupBy(row => row.Name, StringComparer.OrdinalIgnoreCase)
        .ToDictionary(group => group.Key, group => group.First(), StringComparer.OrdinalIgnoreCase);

    private static readonly Dictionary<string, OperandId> s_operands =
        Enum.GetValues<OperandId>().ToDictionary(id => id.ToString(), StringComparer.OrdinalIgnoreCase);

    /// <summary>Reads one status.</summary>
    /// <param name="text">The whole text must be the status.</param>
    /// <param name="query">The status.</param>
    /// <param name="problem">Where it fails: why, in a few words, with the nearest name.</param>
    public static bool TryParse(string text, out StatusQuery query, out string problem)
    {
        text = text.Trim();
        return TryParseNumber(text, out query, out problem) || (problem.Length == 0 && TryParseName(text, out query, out problem));
    }

    private static bool TryParseNumber(string text, out StatusQuery query, out string problem)
    {
        query = default;
        problem = "";
        if (text.Length == 0 || !(char.IsAsciiHexDigit(text[0]) || text[0] == '-'))
            return false;

        bool prefixed = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        string digits = (prefixed ? text[2..] : text).Replace("_", "", StringComparison.Ordinal);
        bool isHex = digits.Length > 0 && digits.All(char.IsAsciiHexDigit);
        if (prefixed && !isHex)
        {
            problem = $"'{text}' is no hexadecimal number";
            return false;
        }

        if (prefixed && digits.TrimStart('0').Length > HexDigits)
        {
            problem = $"'{text}' has more than 64 bits";
            return false;
        }

        ulong hex = 0;
        bool hexFits = isHex && ulong.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out hex);
        bool isDecimal = TryParseDecimal(text, out ulong value);
        if (!hexFits && !isDecimal)
        {
            if (isHex && !prefixed)
                problem = $"'{text}' has more than 64 bits";
            return false;
        }

        // Only digits: people paste hexadecimal without its 0x, and statuses are long.
        bool readHex = prefixed || !isDecimal || (hexFits && (IsNamed(hex) || (!IsNamed(value) && digits.Length == HexDigits)));
        query = new StatusQuery(new StatusCode(readHex ? hex : value));
        return true;
    }

    private static bool TryParseDecimal(string text, out ulong value)
    {
        if (ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value))
            return true;
        bool negative = long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long signed);
        value = (ulong)signed;
        return negative;
    }

    private static bool IsNamed(ulong value) =>
        (value & StatusCode.NameMask) != 0 && (StatusTable.Find(value) is not null || KernelStatus.NameOf(value) is not null);

    private static bool TryParseName(string text, out StatusQuery query, out string problem)
    {
        query = default;
        int end = text.AsSpan().IndexOfAny('(', '|', '+');
        string name = (end < 0 ? text : text[..end]).Trim();
        if (!s_byName.TryGetValue(name, out StatusInfo? row) && !s_byName.TryGetValue("TDX_" + name, out row))
        {
            problem = ClosestName.Find(name, s_byName.Keys) is { } near
                ? $"'{name}' is no TDX status, did you mean {near}?"
                : $"'{name}' is no TDX status; one is written 0x8000020000000092 or TDX_OPERAND_BUSY(SEPT_TREE)";
            return false;
        }

        problem = "";
        if (end < 0)
        {
            query = new StatusQuery(new StatusCode(row.Value), AnyDetails: true);
            return true;
        }

        string details = text[(end + 1)..].Trim().TrimEnd(')').Trim();
        if (!TryParseDetails(row.Value, details, out uint value))
        {
            problem = ClosestName.Find(details, s_operands.Keys) is { } near
                ? $"'{details}' is no operand of {row.Name}, did you mean {near}?"
                : $"'{details}' is no operand of {row.Name}";
            return false;
        }

        query = new StatusQuery(new StatusCode(row.Value | value));
        return true;
    }

    // The forms that StatusTable.NameOf writes, so that what was printed can be pasted back.
    private static bool TryParseDetails(ulong status, string text, out uint details)
    {
        if (s_operands.TryGetValue(text, out OperandId operand))
        {
            details = (uint)operand;
            return true;
        }

        foreach (string label in (ReadOnlySpan<string>)["level ", "exit reason "])
        {
            if (text.StartsWith(label, StringComparison.OrdinalIgnoreCase))
                text = text[label.Length..];
        }

        if (StatusTable.DetailOf(status) == StatusDetail.ExitReason && VmExitReason.TryParse(text, out details))
            return true;
        return text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            ? uint.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out details)
            : uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out details);
    }
}
