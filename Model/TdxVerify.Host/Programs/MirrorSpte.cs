namespace TdxVerify.Host;

/// <summary>What a mirror SPTE holds (facts/kvm.md, 0.4).</summary>
public static class MirrorSpte
{
    /// <summary>Nothing.</summary>
    public const ulong None = 0;

    /// <summary>FROZEN_SPTE: somebody is changing it.</summary>
    public const ulong Frozen = 1;

    /// <summary>The first value that stands for a page or a table: this plus the page.</summary>
    public const ulong FirstPresent = 2;

    /// <summary>It maps a page, or points to a table in it.</summary>
    public static ulong Present(int page) => FirstPresent + (ulong)page;
}
