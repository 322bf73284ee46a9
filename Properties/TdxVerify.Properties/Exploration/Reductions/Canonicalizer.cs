namespace TdxVerify.Properties.Exploration.Reductions;

/// <summary>Replaces a packed state by the smallest of those that are renamings of it.</summary>
/// <remarks>One for all workers, and for one layout. What a value becomes under a renaming is found out once.</remarks>
internal sealed unsafe class Canonicalizer
{
    private const int Unknown = -1;

    private readonly StateLayout _layout;
    private readonly int[][] _targets;
    private readonly int[][][] _numbers;
    private readonly Func<int, int, int, int> _learn;

    /// <summary>For a layout.</summary>
    /// <param name="layout">The layout; with a cell it has all renamings of it.</param>
    /// <param name="targets">For each renaming and slot, the slot that takes its place.</param>
    /// <param name="learn">Renaming, slot and number: the number in the slot that takes its place.</param>
    public Canonicalizer(StateLayout layout, int[][] targets, Func<int, int, int, int> learn)
    {
        _layout = layout;
        _targets = targets;
        _learn = learn;
        _numbers = [.. targets.Select(_ => layout.Slots.Select(slot =>
        {
            int[] numbers = new int[slot.Capacity];
            Array.Fill(numbers, Unknown);
            return numbers;
        }).ToArray())];
    }

    /// <summary>Brings a state to its smallest form.</summary>
    public void Apply(ulong* state)
    {
        int words = _layout.Words;
        ulong* renamed = stackalloc ulong[words];
        ulong* smallest = stackalloc ulong[words];
        var best = new Span<ulong>(smallest, words);
        var next = new Span<ulong>(renamed, words);
        new Span<ulong>(state, words).CopyTo(best);
        for (int renaming = 0; renaming < _targets.Length; renaming++)
        {
            next.Clear();
            int[] targets = _targets[renaming];
            int[][] numbers = _numbers[renaming];
            for (int slot = 0; slot < targets.Length; slot++)
            {
                int number = _layout.Slots[slot].Read(state);
                int to = numbers[slot][number];
                if (to == Unknown)
                    numbers[slot][number] = to = _learn(renaming, slot, number);
                _layout.Slots[targets[slot]].Write(renamed, to);
            }

            if (next.SequenceCompareTo(best) < 0)
                next.CopyTo(best);
        }

        best.CopyTo(new Span<ulong>(state, words));
    }
}
