namespace TdxVerify.Abi;

/// <summary>The names of leaves, and which of them this project models.</summary>
public static class LeafNames
{
    private static readonly Dictionary<HostLeaf, string> s_host =
        Enum.GetValues<HostLeaf>().ToDictionary(leaf => leaf, leaf => leaf.ToString().Replace('_', '.'));

    private static readonly Dictionary<GuestLeaf, string> s_guest =
        Enum.GetValues<GuestLeaf>().ToDictionary(leaf => leaf, leaf => leaf.ToString().Replace('_', '.'));

    /// <summary>SEAMCALL leaves that are modelled.</summary>
    public static IReadOnlyList<HostLeaf> ModelledHost { get; } =
    [
        HostLeaf.TDH_MNG_CREATE, HostLeaf.TDH_MNG_KEY_CONFIG, HostLeaf.TDH_MNG_ADDCX, HostLeaf.TDH_MNG_INIT,
        HostLeaf.TDH_MNG_VPFLUSHDONE, HostLeaf.TDH_MNG_KEY_FREEID, HostLeaf.TDH_MNG_KEY_RECLAIMID, HostLeaf.TDH_MNG_RD,
        HostLeaf.TDH_VP_CREATE, HostLeaf.TDH_VP_ADDCX, HostLeaf.TDH_VP_INIT, HostLeaf.TDH_VP_ENTER,
        HostLeaf.TDH_VP_FLUSH, HostLeaf.TDH_VP_RD,
        HostLeaf.TDH_MEM_SEPT_ADD, HostLeaf.TDH_MEM_SEPT_REMOVE, HostLeaf.TDH_MEM_SEPT_RD, HostLeaf.TDH_MEM_PAGE_ADD,
        HostLeaf.TDH_MEM_PAGE_AUG, HostLeaf.TDH_MEM_PAGE_REMOVE, HostLeaf.TDH_MEM_PAGE_RELOCATE,
        HostLeaf.TDH_MEM_PAGE_PROMOTE, HostLeaf.TDH_MEM_PAGE_DEMOTE, HostLeaf.TDH_MEM_RANGE_BLOCK,
        HostLeaf.TDH_MEM_RANGE_UNBLOCK, HostLeaf.TDH_MEM_TRACK,
        HostLeaf.TDH_MR_EXTEND, HostLeaf.TDH_MR_FINALIZE,
        HostLeaf.TDH_PHYMEM_PAGE_RECLAIM, HostLeaf.TDH_PHYMEM_PAGE_RDMD, HostLeaf.TDH_PHYMEM_PAGE_WBINVD,
        HostLeaf.TDH_PHYMEM_CACHE_WB,
    ];

    /// <summary>TDCALL leaves that are modelled.</summary>
    public static IReadOnlyList<GuestLeaf> ModelledGuest { get; } =
    [
        GuestLeaf.TDG_VP_VMCALL, GuestLeaf.TDG_VP_INFO, GuestLeaf.TDG_VP_VEINFO_GET, GuestLeaf.TDG_MEM_PAGE_ACCEPT,
        GuestLeaf.TDG_MEM_PAGE_ATTR_RD, GuestLeaf.TDG_MEM_PAGE_ATTR_WR,
    ];

    private static readonly bool[] s_knownHost = KnownNumbers(s_host.Keys.Select(leaf => (int)leaf));

    private static readonly bool[] s_knownGuest = KnownNumbers(s_guest.Keys.Select(leaf => (int)leaf));

    /// <summary>The leaf number of a RAX: bits 15:0.</summary>
    public static ushort Number(ulong rax) => (ushort)rax;

    /// <summary>The version of a RAX: bits 23:16.</summary>
    public static byte Version(ulong rax) => (byte)(rax >> 16);

    /// <summary>The name in the specification, such as <c>TDH.MEM.PAGE.ADD</c>; null where no such leaf exists.</summary>
    public static string? Name(this HostLeaf leaf) => s_host.GetValueOrDefault(leaf);

    /// <summary>The name in the specification, such as <c>TDG.MEM.PAGE.ACCEPT</c>; null where no such leaf exists.</summary>
    public static string? Name(this GuestLeaf leaf) => s_guest.GetValueOrDefault(leaf);

    /// <summary>The module has such a leaf.</summary>
    public static bool Exists(this HostLeaf leaf) => (int)leaf < s_knownHost.Length && s_knownHost[(int)leaf];

    /// <summary>The module has such a leaf.</summary>
    public static bool Exists(this GuestLeaf leaf) => (int)leaf < s_knownGuest.Length && s_knownGuest[(int)leaf];

    /// <summary>Finds a SEAMCALL leaf by its name, with or without the <c>TDH.</c> in front, in any case.</summary>
    public static bool TryParseHost(string name, out HostLeaf leaf) => TryParse(s_host, "TDH.", name, out leaf);

    /// <summary>Finds a TDCALL leaf by its name, with or without the <c>TDG.</c> in front, in any case.</summary>
    public static bool TryParseGuest(string name, out GuestLeaf leaf) => TryParse(s_guest, "TDG.", name, out leaf);

    private static bool[] KnownNumbers(IEnumerable<int> numbers)
    {
        var known = new bool[numbers.Max() + 1];
        foreach (int number in numbers)
            known[number] = true;
        return known;
    }

    private static bool TryParse<TLeaf>(Dictionary<TLeaf, string> names, string prefix, string name, out TLeaf leaf)
        where TLeaf : struct, Enum
    {
        foreach ((TLeaf candidate, string candidateName) in names)
        {
            if (candidateName.Equals(name, StringComparison.OrdinalIgnoreCase)
                || candidateName.Equals(prefix + name, StringComparison.OrdinalIgnoreCase))
            {
                leaf = candidate;
                return true;
            }
        }

        leaf = default;
        return false;
    }
}
