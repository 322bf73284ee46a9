using System.Runtime.CompilerServices;

namespace TdxVerify.Reference;

/// <summary>The read-modify-write instructions on 16-bit words that .NET has no Interlocked method for.</summary>
internal static class AtomicWord
{
    /// <summary>Adds, modulo 2^16, and returns the word as it was.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort Add(ref ushort word, ushort addend)
    {
        ushort seen = Volatile.Read(ref word);
        while (true)
        {
            ushort before = Interlocked.CompareExchange(ref word, (ushort)(seen + addend), seen);
            if (before == seen)
                return before;
            seen = before;
        }
    }

    /// <summary>Sets bits.</summary>
    public static void Or(ref ushort word, ushort bits)
    {
        ushort seen = Volatile.Read(ref word);
        while (true)
        {
            ushort before = Interlocked.CompareExchange(ref word, (ushort)(seen | bits), seen);
            if (before == seen)
                return;
            seen = before;
        }
    }

    /// <summary>Keeps only the bits of the mask.</summary>
    public static void And(ref ushort word, ushort mask)
    {
        ushort seen = Volatile.Read(ref word);
        while (true)
        {
            ushort before = Interlocked.CompareExchange(ref word, (ushort)(seen & mask), seen);
            if (before == seen)
                return;
            seen = before;
        }
    }
}
