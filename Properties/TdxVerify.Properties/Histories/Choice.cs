namespace TdxVerify.Properties.Histories;

/// <summary>A point that a search can go back to: the start of a segment, or calls of which any may be the next to make a step.</summary>
/// <param name="point">The configuration there.</param>
/// <param name="cursor">The place in the history.</param>
/// <param name="step">The number of steps made before.</param>
/// <param name="key">What tells it from other configurations.</param>
/// <param name="parent">The choice that is the start of its segment, or of the segment before; -1: none.</param>
internal sealed class Choice(Configuration.Point point, Cursor cursor, int step, UInt128 key, int parent)
{
    public Configuration.Point Point => point;

    public Cursor Cursor => cursor;

    public int Step => step;

    public UInt128 Key => key;

    public int Parent => parent;

    /// <summary>It is the start of a segment.</summary>
    public bool IsStart { get; init; }

    /// <summary>The processors whose calls can be tried and were not, one bit each.</summary>
    public int Left { get; set; }

    /// <summary>Those whose turn may prevent what failed.</summary>
    public int Wanted { get; set; }

    /// <summary>The processor tried last.</summary>
    public int Tried { get; set; }

    /// <summary>What all that failed from here on depends on; null: nothing failed yet.</summary>
    public Blame? Blame { get; set; }

    /// <summary>Of a segment: how hard it is searched.</summary>
    public Effort Effort { get; set; }

    /// <summary>Of a segment: something was learnt since it was begun.</summary>
    public bool HasLearnt { get; set; }

    /// <summary>Of a segment: dead ends since it was begun.</summary>
    public int DeadEnds { get; set; }
}
