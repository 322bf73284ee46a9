using System.Text.Json;
using TdxVerify.Properties.Proposals;
using TdxVerify.Properties.UserProposals;

namespace TdxVerify.Cli.Commands.Proposals;

/// <summary>The comparison of a user's proposal with Linux 6.19 as JSON.</summary>
internal static class CheckJson
{
    public static void WriteComparison(Utf8JsonWriter json, ProposalComparison comparison)
    {
        json.WriteStartObject("comparedWith");
        json.WriteString("name", comparison.With.Name);
        json.WriteString("source", "pinned");
        json.WriteString("verdict", comparison.Verdict.ToString().ToLowerInvariant());
        for (int property = 0; property < comparison.Verdicts.Count; property++)
            ProposalsJson.Write(json, ProposalProperties.All[property].JsonName(), comparison.Verdicts[property]);
        json.WriteStartObject("bounds");
        for (int bound = 0; bound < comparison.Bounds.Count; bound++)
            json.WriteString(Bounds.Unknown.All[bound].JsonName, comparison.Bounds[bound]);
        json.WriteEndObject();
        json.WriteStartArray("cells");
        foreach (CellDifference cell in comparison.Cells)
        {
            json.WriteStartObject();
            json.WriteString("configuration", cell.Configuration);
            json.WriteString("property", cell.Property.JsonName());
            json.WriteString("there", Name(cell.There));
            json.WriteString("here", Name(cell.Here));
            if (cell.Steps is { } steps)
                json.WriteNumber("steps", steps);
            else
                json.WriteNull("steps");
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("boundCells");
        foreach (BoundDifference bound in comparison.BoundCells)
        {
            json.WriteStartObject();
            json.WriteString("configuration", bound.Configuration);
            json.WriteString("bound", bound.JsonName);
            json.WriteString("there", bound.There);
            json.WriteString("here", bound.Here);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static string Name(CellState state) => state switch
    {
        CellState.Held => "held",
        CellState.HeldStrongly => "heldStrongly",
        CellState.Open => "undecided",
        _ => "refuted",
    };
}
