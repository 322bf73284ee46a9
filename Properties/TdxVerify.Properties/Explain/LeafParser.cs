using TdxVerify.Abi;

namespace TdxVerify.Properties.Explain;

/// <summary>
/// Reads the name of a leaf as the specification (<c>TDH.MEM.PAGE.AUG</c>), the kernel's constants
/// (<c>TDH_MEM_PAGE_AUG</c>) or its functions (<c>tdh_mem_page_aug</c>, <c>tdh_phymem_page_wbinvd_tdr</c>) write it.
/// </summary>
public static class LeafParser
{
    private static readonly string[] s_names =
    [
        .. Enum.GetValues<HostLeaf>().Select(leaf => leaf.Name()!),
        .. Enum.GetValues<GuestLeaf>().Select(leaf => leaf.Name()!),
    ];

    /// <summary>All leaves, SEAMCALL first.</summary>
    public static IReadOnlyList<string> Names => s_names;

    /// <summary>The leaf's name in the specification; null where there is no such leaf.</summary>
    public static string? Find(string text)
    {
        string dotted = text.Replace('_', '.').ToUpperInvariant();
        return s_names.FirstOrDefault(name => name == dotted || name[4..] == dotted);
    }

    /// <summary>
    /// The leaf that a word of a kernel message names. Functions of the kernel have the leaf's name, and sometimes
    /// a suffix that says which page they are about.
    /// </summary>
    public static string? FindInMessage(ReadOnlySpan<char> word)
    {
        if (!word.StartsWith("tdh", StringComparison.OrdinalIgnoreCase) && !word.StartsWith("tdg", StringComparison.OrdinalIgnoreCase))
            return null;

        string dotted = word.ToString().Replace('_', '.').ToUpperInvariant();
        return s_names.Where(name => dotted == name || dotted.StartsWith(name + ".", StringComparison.Ordinal))
            .MaxBy(name => name.Length);
    }

    /// <summary>The leaf of a number as a message prints it: RAX, or only its bits 15:0.</summary>
    public static string? FindHost(ulong rax) => rax >> 24 == 0 ? ((HostLeaf)LeafNames.Number(rax)).Name() : null;
}
