using System.Text.Json;

namespace TdxVerify.Properties.Lanes;

/// <summary>Lanes as JSON: <c>lanes</c>, headings; <c>items</c>, each an event, a note or a repeat (<c>times</c> 0: for ever).</summary>
public static class LaneJson
{
    /// <summary>Writes the two properties into the object that is open.</summary>
    public static void WriteProperties(Utf8JsonWriter json, LaneDiagram diagram)
    {
        json.WriteStartArray("lanes");
        foreach (string lane in diagram.Lanes)
            json.WriteStringValue(lane);
        json.WriteEndArray();
        WriteItems(json, diagram.Items);
    }

    private static void WriteItems(Utf8JsonWriter json, IReadOnlyList<LaneItem> items)
    {
        json.WriteStartArray("items");
        foreach (LaneItem item in items)
        {
            json.WriteStartObject();
            switch (item)
            {
                case LaneEvent e:
                    json.WriteNumber("lane", e.Lane);
                    json.WriteString("text", e.Text);
                    json.WriteString("detail", e.Detail);
                    json.WriteString("tone", e.Tone.ToString().ToLowerInvariant());
                    break;
                case LaneNote note:
                    json.WriteString("note", note.Text);
                    break;
                case LaneRepeat repeat:
                    json.WriteNumber("times", repeat.Times);
                    WriteItems(json, repeat.Items);
                    break;
                default:
                    throw new ArgumentException($"No item of a lane: {item}.", nameof(items));
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
