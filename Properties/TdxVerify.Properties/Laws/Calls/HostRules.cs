using TdxVerify.Abi;

namespace TdxVerify.Properties.Laws.Calls;

/// <summary>The rules of every leaf of a platform, found by RAX.</summary>
internal sealed class HostRules
{
    private readonly LeafRules?[] _host = new LeafRules?[2 * 128];
    private readonly LeafRules?[] _guest = new LeafRules?[32];
    private readonly ModuleProfile _profile;

    public HostRules(PlatformInfo platform)
    {
        _profile = platform.Profile;
        Add(HostLeaf.TDH_MNG_CREATE, MngRules.Create());
        Add(HostLeaf.TDH_MNG_KEY_CONFIG, MngRules.KeyConfig());
        Add(HostLeaf.TDH_MNG_ADDCX, MngRules.AddCx());
        Add(HostLeaf.TDH_MNG_INIT, InitRules.Init(_profile));
        Add(HostLeaf.TDH_MNG_VPFLUSHDONE, MngRules.VpFlushDone());
        Add(HostLeaf.TDH_MNG_KEY_FREEID, MngRules.KeyFreeId());
        Add(HostLeaf.TDH_MNG_KEY_RECLAIMID, MngRules.KeyReclaimId());
        Add(HostLeaf.TDH_MNG_RD, MngRules.Rd(_profile));
        Add(HostLeaf.TDH_VP_CREATE, VpRules.Create());
        Add(HostLeaf.TDH_VP_ADDCX, VpRules.AddCx());
        Add(HostLeaf.TDH_VP_INIT, VpRules.Init(0), VpRules.Init(1));
        Add(HostLeaf.TDH_VP_ENTER, VpRules.Enter());
        Add(HostLeaf.TDH_VP_FLUSH, VpRules.Flush());
        Add(HostLeaf.TDH_VP_RD, VpRules.Rd());
        Add(HostLeaf.TDH_MEM_SEPT_ADD, MemRules.SeptAdd(0), MemRules.SeptAdd(1));
        Add(HostLeaf.TDH_MEM_SEPT_REMOVE, MemRules.SeptRemove(0), MemRules.SeptRemove(1));
        Add(HostLeaf.TDH_MEM_SEPT_RD, MemRules.SeptRd());
        Add(HostLeaf.TDH_MEM_PAGE_ADD, MemRules.PageAdd());
        Add(HostLeaf.TDH_MEM_PAGE_AUG, MemRules.PageAug());
        Add(HostLeaf.TDH_MEM_PAGE_REMOVE, MemRules.PageRemove());
        Add(HostLeaf.TDH_MEM_PAGE_RELOCATE, MemRules.PageRelocate());
        Add(HostLeaf.TDH_MEM_PAGE_PROMOTE, MemRules.PagePromote(0), MemRules.PagePromote(1));
        Add(HostLeaf.TDH_MEM_PAGE_DEMOTE, MemRules.PageDemote());
        Add(HostLeaf.TDH_MEM_RANGE_BLOCK, MemRules.RangeBlock());
        Add(HostLeaf.TDH_MEM_RANGE_UNBLOCK, MemRules.RangeUnblock(_profile));
        Add(HostLeaf.TDH_MEM_TRACK, MemRules.Track());
        Add(HostLeaf.TDH_MR_EXTEND, MemRules.MrExtend());
        Add(HostLeaf.TDH_MR_FINALIZE, MemRules.MrFinalize());
        Add(HostLeaf.TDH_PHYMEM_PAGE_RECLAIM, PhymemRules.Reclaim());
        Add(HostLeaf.TDH_PHYMEM_PAGE_RDMD, PhymemRules.Rdmd());
        Add(HostLeaf.TDH_PHYMEM_PAGE_WBINVD, PhymemRules.Wbinvd(platform));
        Add(HostLeaf.TDH_PHYMEM_CACHE_WB, PhymemRules.CacheWb());
        _guest[(int)GuestLeaf.TDG_VP_VMCALL] = GuestRules.Vmcall();
        _guest[(int)GuestLeaf.TDG_VP_INFO] = GuestRules.Info();
        _guest[(int)GuestLeaf.TDG_VP_VEINFO_GET] = GuestRules.VeInfoGet();
        _guest[(int)GuestLeaf.TDG_MEM_PAGE_ACCEPT] = GuestRules.Accept();
        _guest[(int)GuestLeaf.TDG_MEM_PAGE_ATTR_RD] = GuestRules.AttrRd();
        _guest[(int)GuestLeaf.TDG_MEM_PAGE_ATTR_WR] = GuestRules.AttrWr();
        Dispatcher = new LeafRules("SEAMCALL") { IsDispatcher = true }
            .Check(Status.TDX_OPERAND_INVALID, "RAX bits 31:24 or 63:32 are not 0", c => (c.In.Rax & 0xFFFF_FFFF_FF00_0000) != 0)
            .Check(Status.TDX_OPERAND_INVALID, "the leaf has no versions", c => LeafNames.Version(c.In.Rax) != 0 && !HasVersions(LeafNames.Number(c.In.Rax)))
            .Check(Status.TDX_OPERAND_INVALID, "the leaf has no handler", c => !HasHandler(LeafNames.Number(c.In.Rax)));
        TdcallDispatcher = GuestRules.Dispatcher();
        Access = GuestRules.Access();
    }

    /// <summary>The dispatcher's own checks, before those of every leaf.</summary>
    public LeafRules Dispatcher { get; }

    /// <summary>The guest dispatcher's own checks, before those of every leaf.</summary>
    public LeafRules TdcallDispatcher { get; }

    /// <summary>A guest's access to memory.</summary>
    public LeafRules Access { get; }

    /// <summary>The rules of a SEAMCALL that the dispatcher lets through; null: not modelled.</summary>
    public LeafRules? Host(ulong rax) =>
        LeafNames.Number(rax) < 128 ? _host[(2 * LeafNames.Number(rax)) + (LeafNames.Version(rax) == 0 ? 0 : 1)] : null;

    /// <summary>The rules of a TDCALL; null: not modelled.</summary>
    public LeafRules? Guest(ulong rax) => GuestRules.IsRefused(rax) ? TdcallDispatcher : LeafNames.Number(rax) < _guest.Length ? _guest[LeafNames.Number(rax)] : null;

    /// <summary>The dispatcher refuses this RAX.</summary>
    public bool IsRefused(ulong rax) =>
        (rax & 0xFFFF_FFFF_FF00_0000) != 0
        || (LeafNames.Version(rax) != 0 && !HasVersions(LeafNames.Number(rax)))
        || !HasHandler(LeafNames.Number(rax));

    private static bool HasHandler(int leaf) => leaf is (>= 0 and <= 96)
        and not (42 or 46 or 47 or 50 or 51 or (>= 54 and <= 63) or 67 or 69 or (>= 76 and <= 79) or (>= 88 and <= 95));

    // PAGE.PROMOTE, SEPT.ADD, SEPT.REMOVE, MNG.RD, VP.RD; VP.INIT since 1.5.05.
    private bool HasVersions(int leaf) => leaf is 23 or 3 or 30 or 11 or 26 || (leaf == 22 && _profile == ModuleProfile.V1_5_05);

    private void Add(HostLeaf leaf, LeafRules version0, LeafRules? version1 = null)
    {
        _host[2 * (int)leaf] = version0;
        _host[(2 * (int)leaf) + 1] = version1 ?? version0;
    }
}
