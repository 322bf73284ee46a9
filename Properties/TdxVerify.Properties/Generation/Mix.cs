namespace TdxVerify.Properties.Generation;

/// <summary>How often each kind of operation is tried: the character of a run.</summary>
public sealed class Mix
{
    private static readonly int s_kinds = Enum.GetValues<OperationKind>().Length;
    private readonly int[] _weights = new int[s_kinds];

    private Mix(string name, int nearMissPercent, int maximumTds, params ReadOnlySpan<(OperationKind Kind, int Weight)> weights)
    {
        Name = name;
        NearMissPercent = nearMissPercent;
        MaximumTds = maximumTds;
        foreach ((OperationKind kind, int weight) in weights)
            _weights[(int)kind] = weight;
    }

    /// <summary>All mixes. A run takes the one that its first choice names; the first is the simplest.</summary>
    public static IReadOnlyList<Mix> All { get; } =
    [
        new("everything", 12, 4,
            (OperationKind.Build, 14), (OperationKind.Map, 14), (OperationKind.Run, 12), (OperationKind.Accept, 9),
            (OperationKind.Block, 8), (OperationKind.Track, 6), (OperationKind.Unblock, 4), (OperationKind.Remove, 7),
            (OperationKind.Reshape, 5), (OperationKind.Inspect, 5), (OperationKind.Enter, 4), (OperationKind.Exit, 4),
            (OperationKind.Flush, 2), (OperationKind.Teardown, 1), (OperationKind.Lock, 3), (OperationKind.Unlock, 4),
            (OperationKind.Interrupt, 1), (OperationKind.Writeback, 1), (OperationKind.NewTd, 1), (OperationKind.Choice, 1),
            (OperationKind.Garbage, 2), (OperationKind.Fill, 1), (OperationKind.Fault, 5)),
        new("epochs", 6, 2,
            (OperationKind.Build, 12), (OperationKind.Map, 10), (OperationKind.Accept, 10), (OperationKind.Enter, 14),
            (OperationKind.Exit, 10), (OperationKind.Run, 8), (OperationKind.Block, 14), (OperationKind.Track, 12),
            (OperationKind.Unblock, 5), (OperationKind.Remove, 12), (OperationKind.Reshape, 4), (OperationKind.Inspect, 3),
            (OperationKind.Flush, 2), (OperationKind.Lock, 1), (OperationKind.Unlock, 3), (OperationKind.Fault, 3)),
        new("zero-step", 3, 2,
            (OperationKind.Build, 12), (OperationKind.Fault, 40), (OperationKind.Run, 12), (OperationKind.Map, 10), (OperationKind.Accept, 4),
            (OperationKind.Block, 4), (OperationKind.Track, 2), (OperationKind.Remove, 3), (OperationKind.Enter, 4),
            (OperationKind.Exit, 4), (OperationKind.Lock, 2), (OperationKind.Unlock, 3), (OperationKind.Inspect, 2)),
        new("large pages", 5, 2,
            (OperationKind.Build, 12), (OperationKind.Map, 18), (OperationKind.Accept, 14), (OperationKind.Run, 10),
            (OperationKind.Block, 14), (OperationKind.Track, 10), (OperationKind.Unblock, 2), (OperationKind.Reshape, 18),
            (OperationKind.Remove, 5), (OperationKind.Interrupt, 4), (OperationKind.Lock, 2), (OperationKind.Unlock, 3),
            (OperationKind.Inspect, 2)),
        new("huge pages", 2, 1,
            (OperationKind.Build, 14), (OperationKind.Fill, 240), (OperationKind.Map, 1), (OperationKind.Run, 6),
            (OperationKind.Track, 1), (OperationKind.Inspect, 2), (OperationKind.Lock, 1), (OperationKind.Unlock, 3)),
        new("locks", 6, 2,
            (OperationKind.Build, 14), (OperationKind.Map, 10), (OperationKind.Lock, 22), (OperationKind.Unlock, 18),
            (OperationKind.Run, 10), (OperationKind.Accept, 8), (OperationKind.Block, 6), (OperationKind.Track, 4),
            (OperationKind.Unblock, 3), (OperationKind.Remove, 5), (OperationKind.Reshape, 4), (OperationKind.Inspect, 5),
            (OperationKind.Enter, 3), (OperationKind.Exit, 4), (OperationKind.Flush, 1), (OperationKind.Choice, 2)),
        new("lives of TDs", 10, 4,
            (OperationKind.Build, 30), (OperationKind.NewTd, 6), (OperationKind.Teardown, 26), (OperationKind.Map, 8),
            (OperationKind.Run, 5), (OperationKind.Accept, 3), (OperationKind.Flush, 5), (OperationKind.Writeback, 6),
            (OperationKind.Interrupt, 3), (OperationKind.Inspect, 5), (OperationKind.Choice, 4), (OperationKind.Garbage, 4),
            (OperationKind.Lock, 2), (OperationKind.Unlock, 3)),
    ];

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>So many of a hundred calls are altered into near misses.</summary>
    public int NearMissPercent { get; }

    /// <summary>TDs that may exist at a time.</summary>
    public int MaximumTds { get; }

    /// <summary>Weights by <see cref="OperationKind"/>.</summary>
    public ReadOnlySpan<int> Weights => _weights;
}
