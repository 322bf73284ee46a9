using System.CommandLine;
using System.Globalization;
using TdxVerify.Abi;

namespace TdxVerify.Cli;

/// <summary>Times on the command line: 30s, 4m, 2h, or seconds.</summary>
internal static class Durations
{
    /// <summary>An option that takes a time.</summary>
    public static Option<string> Option(string name, string description, string defaultTime) => new(name)
    {
        HelpName = "TIME",
        Description = $"{description}: 30s, 4m, 2h; without it, {defaultTime}",
        DefaultValueFactory = _ => defaultTime,
    };

    /// <summary>Parses a time.</summary>
    /// <exception cref="InputException">It is none.</exception>
    public static TimeSpan Parse(string option, string text)
    {
        double unit = text.Length == 0 ? 0 : text[^1] switch
        {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            >= '0' and <= '9' => 1,
            _ => 0,
        };
        string number = text.TrimEnd('s', 'm', 'h');
        if (unit > 0 && number.Length >= text.Length - 1
            && double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value)
            && value * unit is > 0 and <= 31_536_000)
        {
            return TimeSpan.FromSeconds(value * unit);
        }

        throw new InputException($"{option}: '{text}' is no time; times are written 30s, 4m or 2h");
    }
}
