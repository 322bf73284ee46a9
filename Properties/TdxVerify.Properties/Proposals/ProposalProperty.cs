namespace TdxVerify.Properties.Proposals;

/// <summary>What a proposal is judged by.</summary>
public enum ProposalProperty
{
    /// <summary>With guests that mean well, the host never bugs the VM.</summary>
    BugFree,

    /// <summary>No page that the host has back can still be translated to, and the module neither halts nor leaks a lock.</summary>
    TlbSafe,

    /// <summary>While nobody changes them, mirror SPTE and S-EPT entry agree.</summary>
    MirrorAgrees,

    /// <summary>Some agent gets on, again and again.</summary>
    LivelockFree,

    /// <summary>Every agent gets on, again and again.</summary>
    StarvationFree,

    /// <summary>No guest, whatever it does, makes the host bug the VM.</summary>
    GuestCannotBug,
}

/// <summary>The properties by name.</summary>
public static class ProposalProperties
{
    /// <summary>All, in the order of the table's columns.</summary>
    public static IReadOnlyList<ProposalProperty> All { get; } = Enum.GetValues<ProposalProperty>();

    /// <summary>As JSON names it.</summary>
    public static string JsonName(this ProposalProperty property)
    {
        string name = property.ToString();
        return char.ToLowerInvariant(name[0]) + name[1..];
    }

    /// <summary>As tables and texts name it.</summary>
    public static string Title(this ProposalProperty property) => property switch
    {
        ProposalProperty.BugFree => "BUG-free",
        ProposalProperty.TlbSafe => "TLB-safe",
        ProposalProperty.MirrorAgrees => "mirror agrees",
        ProposalProperty.LivelockFree => "livelock-free",
        ProposalProperty.StarvationFree => "starvation-free",
        _ => "guest cannot BUG",
    };
}
