namespace TdxVerify.Model;

/// <summary>The writes to a state since the last <see cref="Clear"/>, in order.</summary>
public sealed class Journal
{
    private readonly Dictionary<(ChangeKind, int, int), int> _firstWrite = [];
    private Change[] _changes = new Change[256];
    private int _count;

    /// <summary>Every write.</summary>
    public ReadOnlySpan<Change> Changes => _changes.AsSpan(0, _count);

    /// <summary>Forgets all.</summary>
    public void Clear() => _count = 0;

    /// <summary>Notes a write.</summary>
    public void Add(ChangeKind kind, int target, int position, ulong old, ulong value)
    {
        if (_count == _changes.Length)
            Array.Resize(ref _changes, 2 * _count);
        _changes[_count++] = new Change(kind, target, position, old, value);
    }

    /// <summary>
    /// One change a cell, from its value at the start to its value now; cells that are back to what they were are left
    /// out. Objects that came or went and INVEPTs are all kept.
    /// </summary>
    public void CollectNet(List<Change> net)
    {
        net.Clear();
        _firstWrite.Clear();
        foreach (ref readonly Change change in Changes)
        {
            if (change.Kind >= ChangeKind.NewTd)
            {
                net.Add(change);
                continue;
            }

            (ChangeKind, int, int) cell = (change.Kind, change.Object, change.Position);
            if (_firstWrite.TryGetValue(cell, out int place))
            {
                net[place] = net[place] with { New = change.New };
                continue;
            }

            _firstWrite.Add(cell, net.Count);
            net.Add(change);
        }

        net.RemoveAll(change => change.Kind < ChangeKind.NewTd && change.Old == change.New);
    }
}
