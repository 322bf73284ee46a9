namespace TdxVerify.Model;

/// <summary>What the access of a visible step touches, where a lock or the owner of the object decides who can notice it.</summary>
public enum Touched : byte
{
    /// <summary>Nothing of the below: anybody may notice.</summary>
    Anything,

    /// <summary>The association of the call's vCPU, and how many vCPUs are associated.</summary>
    Association,

    /// <summary>Where the pages of the call's vCPU and TD are.</summary>
    OwnPages,

    /// <summary>That a vCPU is in the guest on the call's processor.</summary>
    Residence,

    /// <summary>S-EPT entries on the way to the level that a host call names: it reads the last one again once it has locked it.</summary>
    Way,

    /// <summary>S-EPT entries, which a host call reads to act on them.</summary>
    Entries,

    /// <summary>S-EPT entries, which the processor reads to translate a GPA.</summary>
    Translation,

    /// <summary>S-EPT entries, which the module reads to tell pending pages from others when the processor could not translate a GPA.</summary>
    Violation,

    /// <summary>TD_EPOCH, or the count of the vCPUs that were entered in it.</summary>
    Epoch,

    /// <summary>BEPOCH of the call's page.</summary>
    Bepoch,

    /// <summary>The child count and the PAMT entry of a page that no S-EPT entry maps any more.</summary>
    FreedPage,
}
