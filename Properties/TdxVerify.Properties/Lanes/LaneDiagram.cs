namespace TdxVerify.Properties.Lanes;

/// <summary>
/// What several processors did, time downwards, one column each: a witness, a counterexample, or a lasso. A lasso's
/// last item is a <see cref="LaneRepeat"/> without end.
/// </summary>
/// <param name="Title">What it shows, in one line.</param>
/// <param name="Lanes">The heading of each lane, such as <c>LP 0: TDH.MEM.TRACK</c>.</param>
/// <param name="Items">What happens, in order.</param>
public sealed record LaneDiagram(string Title, IReadOnlyList<string> Lanes, IReadOnlyList<LaneItem> Items)
{
    /// <summary>Events as drawn: those of a repeat count once.</summary>
    public int EventCount => Count(Items);

    /// <summary>The same with repeats folded.</summary>
    public LaneDiagram Folded() => this with { Items = LaneFolding.Fold(Items) };

    private static int Count(IReadOnlyList<LaneItem> items) => items.Sum(item => item switch
    {
        LaneEvent => 1,
        LaneRepeat repeat => Count(repeat.Items),
        _ => 0,
    });
}

/// <summary>An event of a lane, a note across all lanes, or a repeat of such.</summary>
public abstract record LaneItem;

/// <summary>How an event is to be looked at.</summary>
public enum LaneTone
{
    /// <summary>Something happens.</summary>
    Plain,

    /// <summary>It went well.</summary>
    Good,

    /// <summary>It was refused, or has to be repeated.</summary>
    Refused,

    /// <summary>It should not be possible.</summary>
    Bad,
}

/// <summary>Something that one processor does.</summary>
/// <param name="Lane">Which: place in <see cref="LaneDiagram.Lanes"/>.</param>
/// <param name="Text">What.</param>
/// <param name="Detail">More about it, may be empty.</param>
/// <param name="Tone">How it is to be looked at.</param>
public sealed record LaneEvent(int Lane, string Text, string Detail = "", LaneTone Tone = LaneTone.Plain) : LaneItem;

/// <summary>Something about all lanes: where they start from, what holds at that point.</summary>
public sealed record LaneNote(string Text) : LaneItem;

/// <summary>Items that happen several times, one round after the other.</summary>
/// <param name="Times">How often; 0: for ever.</param>
/// <param name="Items">One round.</param>
public sealed record LaneRepeat(int Times, IReadOnlyList<LaneItem> Items) : LaneItem
{
    /// <summary>For ever: the loop of a lasso.</summary>
    public const int ForEver = 0;

    /// <summary>How often, as it is written.</summary>
    public string Label => Times == ForEver ? "for ever" : $"×{Times}";

    /// <summary>The same items, as often.</summary>
    public bool Equals(LaneRepeat? other) => other is not null && Times == other.Times && Items.SequenceEqual(other.Items);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Times, Items.Count);
}
