using TdxVerify.Abi;

namespace TdxVerify.Properties.Explain;

/// <summary>
/// The S-EPT entry that a TDH.MEM leaf reports in RCX and RDX when it fails there (facts/checks.md, "How to read"):
/// RCX as the architecture sees the entry, RDX its level in bits 2:0, its state in bits 15:8 and the VM in 17:16.
/// </summary>
public sealed record SeptEntryDetails
{
    private const ulong HpaMask = 0x000F_FFFF_FFFF_F000;

    // facts/sept-states.csv, column arch_state_dec.
    private static readonly Dictionary<int, (string Name, bool IsLeaf)> s_states = new()
    {
        [0x00] = ("FREE", false),
        [0x01] = ("BLOCKED", true),
        [0x02] = ("PENDING", true),
        [0x03] = ("PENDING_BLOCKED", true),
        [0x04] = ("MAPPED", true),
        [0x05] = ("REMOVED", false),
        [0x08] = ("BLOCKEDW", true),
        [0x09] = ("EXPORTED_BLOCKEDW", true),
        [0x0B] = ("EXPORTED_DIRTY", true),
        [0x0C] = ("EXPORTED_DIRTY_BLOCKEDW", true),
        [0x10] = ("PENDING_BLOCKEDW", true),
        [0x11] = ("PENDING_EXPORTED_BLOCKEDW", true),
        [0x13] = ("PENDING_EXPORTED_DIRTY", true),
        [0x14] = ("PENDING_EXPORTED_DIRTY_BLOCKEDW", true),
        [0x81] = ("NL_BLOCKED", false),
        [0x84] = ("NL_MAPPED", false),
        [0x40] = ("L2_FREE", false),
        [0x41] = ("L2_BLOCKED", true),
        [0x44] = ("L2_MAPPED", true),
        [0xC1] = ("L2_NL_BLOCKED", false),
        [0xC4] = ("L2_NL_MAPPED", false),
    };

    private SeptEntryDetails(ulong rcx, ulong rdx)
    {
        Rcx = rcx;
        Rdx = rdx;
        (StateName, IsLeaf) = s_states.TryGetValue(State, out (string Name, bool IsLeaf) known) ? known : ($"unknown state 0x{State:x2}", false);
    }

    /// <summary>RCX as returned.</summary>
    public ulong Rcx { get; }

    /// <summary>RDX as returned.</summary>
    public ulong Rdx { get; }

    /// <summary>The level of the entry, 0 to 4; a walk that failed reports the entry where it stopped.</summary>
    public int Level => (int)(Rdx & 7);

    /// <summary>The state's number.</summary>
    public int State => (int)(Rdx >> 8) & 0xFF;

    /// <summary>The state's name, such as <c>NL_BLOCKED</c>.</summary>
    public string StateName { get; }

    /// <summary>The state is that of a page and not of a table.</summary>
    public bool IsLeaf { get; }

    /// <summary>The VM whose entry it is: 0 is the TD itself (L1).</summary>
    public int Vm => (int)(Rdx >> 16) & 3;

    /// <summary>What the guest may do, such as <c>RWX</c>, or <c>---</c>.</summary>
    public string Access => string.Create(3, Rcx, static (text, rcx) =>
    {
        text[0] = (rcx & 1) != 0 ? 'R' : '-';
        text[1] = (rcx & 2) != 0 ? 'W' : '-';
        text[2] = (rcx & 4) != 0 ? 'X' : '-';
    });

    /// <summary>The page; null for a table, whose address is not shown.</summary>
    public ulong? Hpa => IsLeaf ? Rcx & HpaMask : null;

    /// <summary>
    /// The entry; null where both registers are 0, which says that the leaf failed before it looked at the entry (a
    /// free entry has bit 63 of RCX set).
    /// </summary>
    public static SeptEntryDetails? Decode(ulong rcx, ulong rdx) => (rcx | rdx) == 0 ? null : new SeptEntryDetails(rcx, rdx);

    /// <summary>Whether a leaf reports such an entry when it fails.</summary>
    public static bool IsReportedBy(string leaf) => leaf.StartsWith("TDH.MEM.", StringComparison.Ordinal) && leaf != "TDH.MEM.TRACK";

    /// <summary>In one line.</summary>
    public override string ToString()
    {
        string where = Vm == 0 ? "" : $" of L2 VM {Vm}";
        string page = Hpa is { } hpa ? $", HPA 0x{hpa:x}" : "";
        return $"{StateName}{where} at level {Level} ({LevelName(Level)}), {Access}{page}";
    }

    /// <summary>What an entry at a level maps.</summary>
    public static string LevelName(int level) => level switch
    {
        SeptLevel.Page4K => "4 KiB",
        SeptLevel.Page2M => "2 MiB",
        SeptLevel.Page1G => "1 GiB",
        SeptLevel.Pml4 => "512 GiB",
        SeptLevel.Pml5 => "256 TiB",
        _ => "no such level",
    };
}
