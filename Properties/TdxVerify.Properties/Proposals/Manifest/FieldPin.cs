using System.Globalization;

namespace TdxVerify.Properties.Proposals.Manifest;

/// <summary>What came of a bug of the field, or of its fix: a row of <c>field.csv</c>.</summary>
/// <param name="Case">The case.</param>
/// <param name="Verdict">What was found.</param>
/// <param name="Steps">The steps of the shortest run that shows it; empty: it holds.</param>
/// <param name="Cause">Whose fault it is; empty: it holds.</param>
/// <param name="States">States.</param>
public sealed record FieldPin(string Case, string Verdict, string Steps, string Cause, long States)
{
    /// <summary>The columns.</summary>
    public const string Header = "case,verdict,steps,cause,states";

    /// <summary>The row as it is written.</summary>
    public string Row => string.Join(',', Case, Verdict, Steps, Cause, States.ToString(CultureInfo.InvariantCulture));

    /// <summary>What was found.</summary>
    public static FieldPin Of(FieldResult result) => new(
        result.Case.Name, result.VerdictName, result.Run?.Steps.ToString(CultureInfo.InvariantCulture) ?? "", result.CauseName, result.Result.States);

    /// <summary>Of a row.</summary>
    internal static FieldPin Parse(string[] row) => new(row[0], row[1], row[2], row[3], long.Parse(row[4], CultureInfo.InvariantCulture));
}
