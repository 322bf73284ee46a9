using System.Globalization;
using TdxVerify.Abi;

namespace TdxVerify.Cli;

/// <summary>Amounts of memory on the command line: 512M, 16G, or bytes.</summary>
internal static class Sizes
{
    private const long Most = 1L << 50;

    /// <summary>Parses an amount.</summary>
    /// <exception cref="InputException">It is none.</exception>
    public static long Parse(string option, string text)
    {
        int shift = text.Length == 0 ? 0 : char.ToUpperInvariant(text[^1]) switch
        {
            'K' => 10,
            'M' => 20,
            'G' => 30,
            'T' => 40,
            _ => 0,
        };
        string number = shift > 0 ? text[..^1] : text;
        return double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value) && value * (1L << shift) is >= 1 and <= Most
            ? (long)(value * (1L << shift))
            : throw new InputException($"{option}: '{text}' is no amount of memory; amounts are written 512M or 16G");
    }
}
