using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Properties.Laws.Calls;

/// <summary>
/// What each SEAMCALL leaves behind (facts/checks.md "effect", facts/pamt.md, facts/epoch.md), given what its operands
/// named before: on success, and the little that stays of a call that fails late.
/// </summary>
internal static class HostEffects
{
    private const ulong ResetVector = 0xFFFF_FFF0;

    /// <summary>Effects that stay whatever comes later in the call.</summary>
    public static void Staying(Observation o, CallFacts c, Expectations x)
    {
        switch (o.Leaf)
        {
            case HostLeaf.TDH_VP_ENTER or HostLeaf.TDH_VP_RD when c.IsNewlyAssociated:
                x.Vcpu(c.Vcpu, VcpuField.AssociatedLp, (ulong)c.Lp + 1);
                x.TdMoves(c.Td, TdField.AssociatedVcpus, 1);
                break;
            case HostLeaf.TDH_VP_INIT when c.ReachedCount:
                CountVcpu(o, c, x);
                break;
            case HostLeaf.TDH_MNG_INIT when c.WroteFirstEpoch:
                x.Td(c.Td, TdField.NumVcpus, 0);
                x.Td(c.Td, TdField.AssociatedVcpus, 0);
                x.Td(c.Td, TdField.Epoch, 1);
                x.Td(c.Td, TdField.RefCountEven, 0);
                x.Td(c.Td, TdField.RefCountOdd, 0);
                if (c.AcceptedTopology)
                    x.Td(c.Td, TdField.TopologyEnumConfigured, 1);
                break;
            default:
                break;
        }
    }

    /// <summary>Effects of a SEAMCALL that succeeded, TDH.VP.ENTER apart.</summary>
    public static void OfSuccess(Observation o, CallFacts c, Expectations x)
    {
        switch (o.Leaf)
        {
            case HostLeaf.TDH_MNG_CREATE:
                int created = c.S.Holder(c.TargetPage);
                x.Object(ChangeKind.NewTd, created, (ulong)c.TargetPage);
                x.Td(created, TdField.Hkid, c.In.Rdx);
                x.Td(created, TdField.Lifecycle, (ulong)TdLifecycle.TD_HKID_ASSIGNED);
                x.Td(created, TdField.ChildCount, 0);
                x.Key((int)c.In.Rdx, KeyField.State, (ulong)HkidState.HKID_ASSIGNED);
                x.Type(c.Target, PageType.PT_TDR);
                x.Pamt(c.Target, PamtField.Owner, 0);
                break;
            case HostLeaf.TDH_MNG_KEY_CONFIG:
                ulong configured = o.TdBefore(c.Td, TdField.KeysConfigured) | 1;
                x.Td(c.Td, TdField.KeysConfigured, configured);
                if (configured == AllPackages(c))
                    x.Td(c.Td, TdField.Lifecycle, (ulong)TdLifecycle.TD_KEYS_CONFIGURED);
                break;
            case HostLeaf.TDH_MNG_ADDCX:
                x.TdMoves(c.Td, TdField.TdcsPages, 1);
                x.TdMoves(c.Td, TdField.ChildCount, 1);
                x.Owned(c.Target, PageType.PT_TDCX, c.Td);
                if (o.TdBefore(c.Td, TdField.TdcsPages) == 3)
                    x.Td(c.Td, TdField.RootTable, (ulong)NewTable(c, x));
                break;
            case HostLeaf.TDH_MNG_INIT:
                KeepParameters(c, x);
                break;
            case HostLeaf.TDH_MNG_VPFLUSHDONE:
                x.Key((int)c.Of(TdField.Hkid), KeyField.WritebackBitmap, AllPackages(c));
                x.Key((int)c.Of(TdField.Hkid), KeyField.State, (ulong)HkidState.HKID_FLUSHED);
                x.Td(c.Td, TdField.Lifecycle, (ulong)TdLifecycle.TD_BLOCKED);
                break;
            case HostLeaf.TDH_MNG_KEY_FREEID:
                x.Key((int)c.Of(TdField.Hkid), KeyField.State, (ulong)HkidState.HKID_FREE);
                x.Td(c.Td, TdField.Lifecycle, (ulong)TdLifecycle.TD_TEARDOWN);
                break;
            case HostLeaf.TDH_VP_CREATE:
                int vcpu = c.S.Holder(c.TargetPage);
                x.Object(ChangeKind.NewVcpu, vcpu, (ulong)c.TargetPage);
                x.Vcpu(vcpu, VcpuField.Pages, 1);
                x.Vcpu(vcpu, VcpuField.State, (ulong)VcpuState.VCPU_UNINITIALIZED);
                x.Vcpu(vcpu, VcpuField.AssociatedLp, 0);
                x.TdMoves(c.Td, TdField.ChildCount, 1);
                x.Owned(c.Target, PageType.PT_TDVPR, c.Td);
                break;
            case HostLeaf.TDH_VP_ADDCX:
                x.Vcpu(c.Vcpu, VcpuField.Pages, o.VcpuBefore(c.Vcpu, VcpuField.Pages) + 1);
                x.TdMoves(c.Td, TdField.ChildCount, 1);
                x.Owned(c.Target, PageType.PT_TDCX, c.Td);
                break;
            case HostLeaf.TDH_VP_INIT:
                x.Vcpu(c.Vcpu, VcpuField.Rip, ResetVector);
                x.Vcpu(c.Vcpu, VcpuField.State, (ulong)VcpuState.VCPU_READY);
                x.Vcpu(c.Vcpu, VcpuField.LastExit, (ulong)LastTdExit.ASYNC_FAULT);
                x.Vcpu(c.Vcpu, VcpuField.AssociatedLp, (ulong)c.Lp + 1);
                x.TdMoves(c.Td, TdField.AssociatedVcpus, 1);
                break;
            case HostLeaf.TDH_VP_FLUSH:
                x.Vcpu(c.Vcpu, VcpuField.AssociatedLp, 0);
                x.TdMoves(c.Td, TdField.AssociatedVcpus, -1);
                x.Lp(c.Lp, LpField.LastVcpu, 0);
                x.InvalidateEpt(c.Lp, c.Td);
                break;
            case HostLeaf.TDH_MR_FINALIZE:
                x.Td(c.Td, TdField.OpState, (ulong)OpState.RUNNABLE);
                break;
            case HostLeaf.TDH_PHYMEM_PAGE_RECLAIM:
                Reclaim(o, c, x);
                break;
            case HostLeaf.TDH_PHYMEM_CACHE_WB:
                ulong keys = RecordedKeys(o, c);
                for (int i = 0; keys >> i != 0; i++)
                {
                    int hkid = c.Platform.HkidFirst + i;
                    if ((keys >> i & 1) != 0)
                        x.Key(hkid, KeyField.WritebackBitmap, o.KeyBefore(hkid, KeyField.WritebackBitmap) & ~1UL);
                }

                break;
            default:
                SeptEffects.OfSuccess(o, c, x);
                break;
        }
    }

    /// <summary>TDH.PHYMEM.CACHE.WB keeps its place and the keys that it works for, also when it fails or is interrupted.</summary>
    public static void Writeback(Observation o, CallFacts c, Expectations x, ulong status)
    {
        if (!c.StartedWriteback)
            return;
        bool isStart = c.In.Rcx == 0;
        ulong done = isStart ? 0 : o.GlobalBefore(GlobalField.WritebackPoint);
        x.Global(
            GlobalField.WritebackPoint,
            status == Status.TDX_INTERRUPTED_RESUMABLE ? done + 1 : status == Status.TDX_WBCACHE_RESUME_ERROR ? done : 0);
        if (isStart && status != Status.TDX_NO_HKID_READY_TO_WBCACHE)
            x.Global(GlobalField.WritebackKeys, PhymemRules.FlushedKeys(c));
    }

    /// <summary>A new S-EPT table in the page operand.</summary>
    public static int NewTable(CallFacts c, Expectations x)
    {
        int table = c.S.Holder(c.TargetPage);
        x.Object(ChangeKind.NewTable, table, (ulong)c.TargetPage);
        return table;
    }

    private static ulong RecordedKeys(Observation o, CallFacts c) =>
        c.In.Rcx == 0 ? PhymemRules.FlushedKeys(c) : o.GlobalBefore(GlobalField.WritebackKeys);

    private static ulong AllPackages(CallFacts c) => (1UL << c.Platform.Packages) - 1;

    private static void CountVcpu(Observation o, CallFacts c, Expectations x)
    {
        ulong index = o.TdBefore(c.Td, TdField.NumVcpus);
        x.Td(c.Td, TdField.NumVcpus, c.CountedVcpu ? index + 1 : index);
        x.Vcpu(c.Vcpu, VcpuField.Index, index);
        if (c.CountedVcpu && c.Version == 0 && c.Platform.Profile == ModuleProfile.V1_5_05)
            x.Td(c.Td, TdField.TopologyEnumConfigured, 0);
        if (c.WroteX2ApicId)
            x.X2ApicId(c.Td, (int)index, (uint)c.In.R8);
    }

    private static void KeepParameters(CallFacts c, Expectations x)
    {
        x.Td(c.Td, TdField.Attributes, InitRules.Attributes(c));
        x.Td(c.Td, TdField.Xfam, InitRules.Xfam(c));
        x.Td(c.Td, TdField.MaxVcpus, InitRules.MaxVcpus(c));
        x.Td(c.Td, TdField.ConfigFlags, InitRules.ConfigFlags(c));
        x.Td(c.Td, TdField.EptpControls, InitRules.EptpControls(c));
        x.Td(c.Td, TdField.TscFrequency, InitRules.TscFrequency(c));
        x.Td(c.Td, TdField.RootLevel, (InitRules.EptpControls(c) >> 3 & 7) == 4 ? 4UL : 3UL);
        x.Td(c.Td, TdField.PendingVeDisable, InitRules.Attributes(c) >> 28 & 1);
        x.Td(c.Td, TdField.OpState, (ulong)OpState.INITIALIZED);
    }

    private static void Reclaim(Observation o, CallFacts c, Expectations x)
    {
        x.Type(c.Target, PageType.PT_NDA);
        int held = c.S.Holder(c.TargetPage);
        switch (c.TargetType)
        {
            case PageType.PT_TDR:
                x.Object(ChangeKind.FreeTd, c.Td);
                if (o.TdBefore(c.Td, TdField.TdcsPages) > 3)
                    x.Object(ChangeKind.FreeTable, (int)o.TdBefore(c.Td, TdField.RootTable));
                return;
            case PageType.PT_TDVPR:
                x.Object(ChangeKind.FreeVcpu, held);
                break;
            case PageType.PT_EPT:
                x.Object(ChangeKind.FreeTable, held);
                break;
            default:
                break;
        }

        x.TdMoves(c.Td, TdField.ChildCount, -(1L << (9 * c.TargetSize)));
    }
}
