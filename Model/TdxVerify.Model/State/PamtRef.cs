namespace TdxVerify.Model;

/// <summary>Where a PAMT entry is.</summary>
/// <param name="Size">0: 4 KiB, 1: 2 MiB, 2: 1 GiB.</param>
/// <param name="Index">The entry among those of its size, counted from the start of the TDMR.</param>
public readonly record struct PamtRef(int Size, int Index)
{
    /// <summary>The entry of this size that covers a page.</summary>
    public static PamtRef Of(int size, int page) => new(size, page >> (9 * size));

    /// <summary>Index of the first 4 KiB page that the entry covers.</summary>
    public int FirstPage => Index << (9 * Size);
}
