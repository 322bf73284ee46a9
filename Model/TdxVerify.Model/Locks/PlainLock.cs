using System.Runtime.CompilerServices;

namespace TdxVerify.Model;

/// <summary>
/// The plain shared/exclusive lock of the S-EPT tree, the TD epoch and the KOT (facts/lock-types.csv): bit 0 is the
/// exclusive holder, bits 15:1 count readers. No priority, no queue, no waiting: every refusal is a busy status.
/// </summary>
public static class PlainLock
{
    private const ulong Exclusive = 1;
    private const ulong Reader = 2;
    private const ulong WordMask = 0xFFFF;

    /// <summary>The bits of a word that do not count readers.</summary>
    public const ulong AllButReaders = Exclusive;

    /// <summary>Someone holds the lock exclusively.</summary>
    public static bool IsExclusive(ulong word) => (word & Exclusive) != 0;

    /// <summary>Readers counted, those included that a refused attempt left behind.</summary>
    public static int Readers(ulong word) => (int)(word >> 1);

    /// <summary>Adds a reader. Refused under an exclusive holder; the added reader stays until the exclusive release.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryShared(ref ulong word)
    {
        bool granted = !IsExclusive(word);
        word = (word + Reader) & WordMask;
        return granted;
    }

    /// <summary>Granted only from the all-free word.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryExclusive(ref ulong word)
    {
        if (word != 0)
            return false;
        word = Exclusive;
        return true;
    }

    /// <summary>Takes one reader away.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ReleaseShared(ref ulong word) => word = (word - Reader) & WordMask;

    /// <summary>Zeroes the word, readers left behind included.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ReleaseExclusive(ref ulong word) => word = 0;
}
