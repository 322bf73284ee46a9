namespace TdxVerify.Abi;

/// <summary>
/// Levels of the Secure EPT as the ABI counts them: the level of an entry is the size of what it maps. Level 0 is
/// a 4 KiB page, 1 a 2 MiB page, 2 a 1 GiB page; 3 and 4 are only ever tables (PML4, PML5).
/// </summary>
public static class SeptLevel
{
    /// <summary>4 KiB.</summary>
    public const int Page4K = 0;

    /// <summary>2 MiB.</summary>
    public const int Page2M = 1;

    /// <summary>1 GiB.</summary>
    public const int Page1G = 2;

    /// <summary>An entry of the root of a 4-level tree: 512 GiB.</summary>
    public const int Pml4 = 3;

    /// <summary>An entry of the root of a 5-level tree: 256 TiB.</summary>
    public const int Pml5 = 4;

    /// <summary>log2 of the number of bytes that an entry at this level covers.</summary>
    public static int Shift(int level) => 12 + (9 * level);

    /// <summary>Bytes that an entry at this level covers.</summary>
    public static ulong Size(int level) => 1UL << Shift(level);

    /// <summary>The 4 KiB pages that an entry at this level covers.</summary>
    public static long Pages(int level) => 1L << (9 * level);

    /// <summary>The index, 0 to 511, of the entry for <paramref name="gpa"/> in a table whose entries are at <paramref name="level"/>.</summary>
    public static int Index(ulong gpa, int level) => (int)(gpa >> Shift(level)) & 0x1FF;
}
