using TdxVerify.Properties.Contention;

namespace TdxVerify.Cli.Commands;

/// <summary>The contention matrix as CSV: one line for each pair; all fields quoted, lists inside a field separated by <c>;</c>.</summary>
internal static class ContentionCsv
{
    public static void WriteMatrix(TextWriter output, ContentionMatrix matrix)
    {
        output.WriteLine(Line("profile", "scenario", "a", "b", "relation", "aBusy", "bBusy", "serializable", "moduleHalts", "outcomes", "states"));
        string profile = Abi.ModuleProfiles.Name(matrix.Profile);
        foreach (ContentionPair pair in matrix.Pairs)
        {
            output.WriteLine(Line(
                profile, pair.Scenario, pair.A.Name, pair.B.Name, pair.Relation, string.Join(';', pair.BusyA), string.Join(';', pair.BusyB),
                pair.IsSerializable ? "yes" : "no", pair.HaltsModule ? "yes" : "no", string.Join(';', pair.Result.Outcomes),
                pair.Result.States.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        }
    }

    private static string Line(params string[] fields) =>
        string.Join(',', fields.Select(field => $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\""));
}
