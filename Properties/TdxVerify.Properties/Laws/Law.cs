namespace TdxVerify.Properties.Laws;

/// <summary>
/// A law: what must hold after every event of a run, whatever the sequence. A law keeps its own books from what it
/// sees; it shares no rule with the model's leaves.
/// </summary>
public abstract class Law
{
    private readonly string[] _cases;
    private readonly long[] _occurred;

    /// <summary>A law with the cases that must occur, lest it hold for want of anything to hold for.</summary>
    protected Law(string name, string statement, params string[] cases)
    {
        Name = name;
        Statement = statement;
        _cases = cases;
        _occurred = new long[cases.Length];
    }

    /// <summary>Its name, as <c>--law</c> takes it.</summary>
    public string Name { get; }

    /// <summary>What it says, in a sentence.</summary>
    public string Statement { get; }

    /// <summary>Events that it was checked on.</summary>
    public long Checked { get; private set; }

    /// <summary>Its interesting cases, and how often each occurred.</summary>
    public IEnumerable<(string Case, long Count)> Sometimes => _cases.Zip(_occurred);

    /// <summary>A new sequence on a fresh platform.</summary>
    public virtual void Reset()
    {
    }

    /// <summary>
    /// An event is about to happen: the observation has its inputs, the state is still the one before it. A law that
    /// wants to know what must follow finds it out here.
    /// </summary>
    public virtual void Foresee(Observation o)
    {
    }

    /// <summary>Checks one event; null: the law holds, else what is wrong, in one line.</summary>
    public string? Verify(Observation o)
    {
        Checked++;
        return Check(o);
    }

    /// <summary>Checks one event; null: the law holds.</summary>
    protected abstract string? Check(Observation o);

    /// <summary>An interesting case occurred.</summary>
    protected void Occurred(int position) => _occurred[position]++;
}
