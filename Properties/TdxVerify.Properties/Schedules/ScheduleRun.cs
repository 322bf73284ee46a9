using System.Globalization;
using System.Text.RegularExpressions;

namespace TdxVerify.Properties.Schedules;

/// <summary>Visible steps that one call makes before another one goes on.</summary>
/// <param name="Call">Which call, counted from 0.</param>
/// <param name="Steps">How many.</param>
public readonly partial record struct ScheduleRun(int Call, int Steps)
{
    /// <summary>More steps than any call makes: to the end of the call.</summary>
    public const int ToTheEnd = 1 << 20;

    private const int Letters = 26;

    /// <summary>A schedule as text, such as <c>a24 b7 a3</c>: whose visible steps, how many.</summary>
    public static string Text(IEnumerable<ScheduleRun> schedule) => string.Join(' ', schedule);

    /// <summary>Reads what <see cref="Text"/> wrote; null: it is none.</summary>
    public static IReadOnlyList<ScheduleRun>? Parse(string text)
    {
        var schedule = new List<ScheduleRun>();
        foreach (string word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (Word().Match(word) is not { Success: true } match || !int.TryParse(match.Groups[2].ValueSpan, CultureInfo.InvariantCulture, out int steps))
                return null;
            schedule.Add(new ScheduleRun(Index(match.Groups[1].ValueSpan), steps));
        }

        return schedule;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Name(Call)}{Steps}");

    // As spreadsheets name columns: a to z, then aa.
    private static string Name(int call) => (call < Letters ? "" : Name((call / Letters) - 1)) + (char)('a' + (call % Letters));

    private static int Index(ReadOnlySpan<char> name)
    {
        int index = 0;
        foreach (char letter in name)
            index = (index * Letters) + letter - 'a' + 1;
        return index - 1;
    }

    [GeneratedRegex("^([a-z]{1,3})([0-9]{1,9})$")]
    private static partial Regex Word();
}
