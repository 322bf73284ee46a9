namespace TdxVerify.Properties.Histories;

/// <summary>Processors whose calls wait for one another, the last for none: a stack of up to eight, as a value.</summary>
/// <param name="Word">One byte for each, the first lowest: processor + 1.</param>
internal readonly record struct Waiting(ulong Word)
{
    private const int Bits = 8;

    /// <summary>The empty stack.</summary>
    public static Waiting None => default;

    /// <summary>How many there are.</summary>
    public int Count => (64 - System.Numerics.BitOperations.LeadingZeroCount(Word) + Bits - 1) / Bits;

    /// <summary>The one that waits for none.</summary>
    public int Top => (int)(Word >> (Bits * (Count - 1)) & 0xFF) - 1;

    /// <summary>One more.</summary>
    public Waiting Push(int lp) => new(Word | ((ulong)(lp + 1) << (Bits * Count)));

    /// <summary>One less.</summary>
    public Waiting Pop() => new(Word & ((1UL << (Bits * (Count - 1))) - 1));

    /// <summary>The processor is among them.</summary>
    public bool Contains(int lp)
    {
        for (ulong rest = Word; rest != 0; rest >>= Bits)
        {
            if ((int)(rest & 0xFF) == lp + 1)
                return true;
        }

        return false;
    }
}
