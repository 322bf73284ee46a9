using TdxVerify.Abi;

namespace TdxVerify.Reference;

/// <summary>The host dispatcher (facts/checks.md): what comes before every leaf, and the way to it.</summary>
internal static class HostDispatcher
{
    private const ulong ReservedMask = 0xFFFF_FFFF_FF00_0000;
    private const int VersionShift = 16;

    /// <summary>RAX is that of a TDH.VP.ENTER which passes the dispatcher.</summary>
    public static bool IsVpEnter(ulong rax) => rax == (ulong)HostLeaf.TDH_VP_ENTER;

    /// <summary>The dispatcher's own checks; the module is always READY here.</summary>
    public static ulong Check(TdxModule module, ulong rax)
    {
        if ((rax & ReservedMask) != 0)
            return Answer.Invalid(OperandId.RAX);
        var leaf = (HostLeaf)(ushort)rax;
        if (rax >> VersionShift != 0 && !HasVersions(module, leaf))
            return Answer.Invalid(OperandId.RAX);
        return HasHandler(leaf) ? Answer.Success : Answer.Invalid(OperandId.RAX);
    }

    /// <summary>Runs a leaf that passed <see cref="Check"/>; TDH.VP.ENTER is not one of them.</summary>
    public static ulong Run(TdxModule module, int lp, ref RegisterFile registers)
    {
        ulong version = (registers.Rax >> VersionShift) & 0xFF;
        return (HostLeaf)(ushort)registers.Rax switch
        {
            HostLeaf.TDH_MNG_CREATE => MngBuild.Create(module, registers),
            HostLeaf.TDH_MNG_KEY_CONFIG => MngBuild.KeyConfig(module, lp, registers),
            HostLeaf.TDH_MNG_ADDCX => MngBuild.Addcx(module, registers),
            HostLeaf.TDH_MNG_INIT => MngInit.Init(module, ref registers),
            HostLeaf.TDH_MNG_VPFLUSHDONE => MngTeardown.VpFlushDone(module, registers),
            HostLeaf.TDH_MNG_KEY_FREEID => MngTeardown.KeyFreeId(module, registers),
            HostLeaf.TDH_MNG_KEY_RECLAIMID => MngTeardown.KeyReclaimId(),
            HostLeaf.TDH_MNG_RD => Metadata.MngRd(module, version, ref registers),
            HostLeaf.TDH_VP_CREATE => VpBuild.Create(module, registers),
            HostLeaf.TDH_VP_ADDCX => VpBuild.Addcx(module, registers),
            HostLeaf.TDH_VP_INIT => VpBuild.Init(module, lp, version, registers),
            HostLeaf.TDH_VP_FLUSH => VpFlush.Flush(module, lp, registers),
            HostLeaf.TDH_VP_RD => Metadata.VpRd(module, lp, version, ref registers),
            HostLeaf.TDH_MEM_SEPT_ADD => MemSept.Add(module, version, ref registers),
            HostLeaf.TDH_MEM_SEPT_REMOVE => MemSept.Remove(module, version, ref registers),
            HostLeaf.TDH_MEM_SEPT_RD => MemSept.Rd(module, ref registers),
            HostLeaf.TDH_MEM_PAGE_ADD => MemPage.Add(module, ref registers),
            HostLeaf.TDH_MEM_PAGE_AUG => MemPage.Aug(module, ref registers),
            HostLeaf.TDH_MEM_PAGE_REMOVE => MemPage.Remove(module, ref registers),
            HostLeaf.TDH_MEM_PAGE_RELOCATE => MemPage.Relocate(module, ref registers),
            HostLeaf.TDH_MEM_PAGE_PROMOTE => MemPageSize.Promote(module, version, ref registers),
            HostLeaf.TDH_MEM_PAGE_DEMOTE => MemPageSize.Demote(module, ref registers),
            HostLeaf.TDH_MEM_RANGE_BLOCK => MemRange.Block(module, ref registers),
            HostLeaf.TDH_MEM_RANGE_UNBLOCK => MemRange.Unblock(module, ref registers),
            HostLeaf.TDH_MEM_TRACK => MemRange.Track(module, registers),
            HostLeaf.TDH_MR_EXTEND => Measurement.Extend(module, ref registers),
            HostLeaf.TDH_MR_FINALIZE => Measurement.Finalize(module, registers),
            HostLeaf.TDH_PHYMEM_PAGE_RECLAIM => Phymem.PageReclaim(module, ref registers),
            HostLeaf.TDH_PHYMEM_PAGE_RDMD => Phymem.PageRdmd(module, ref registers),
            HostLeaf.TDH_PHYMEM_PAGE_WBINVD => Phymem.PageWbinvd(module, registers),
            HostLeaf.TDH_PHYMEM_CACHE_WB => Phymem.CacheWb(module, lp, registers),
            _ => Answer.NotModelled,
        };
    }

    private static bool HasVersions(TdxModule module, HostLeaf leaf) => leaf switch
    {
        HostLeaf.TDH_MEM_SEPT_ADD or HostLeaf.TDH_MNG_RD or HostLeaf.TDH_MEM_PAGE_PROMOTE or HostLeaf.TDH_VP_RD
            or HostLeaf.TDH_MEM_SEPT_REMOVE => true,
        HostLeaf.TDH_VP_INIT => module.Is1505,
        _ => false,
    };

    private static bool HasHandler(HostLeaf leaf) => (int)leaf switch
    {
        42 or 46 or 47 or 50 or 51 => false,
        >= 54 and <= 63 => false,
        67 or 69 => false,
        >= 76 and <= 79 => false,
        >= 88 and <= 95 => false,
        >= 97 => false,
        _ => true,
    };
}
