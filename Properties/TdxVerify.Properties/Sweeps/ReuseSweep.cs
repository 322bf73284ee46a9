using TdxVerify.Abi;

namespace TdxVerify.Properties.Sweeps;

/// <summary>What an earlier use leaves behind and a later one must not show.</summary>
internal static class ReuseSweep
{
    /// <summary>A page that was blocked, so that it has a BEPOCH, is added again in other ways.</summary>
    public static void Pages(SweepRunner run)
    {
        SweepStage stage = SweepStage.Set(run, with1G: false, withMergeable: false);
        ulong tdr = stage.Built.Tdr;
        ulong blocked = PageInfo.Of(SweepStage.SmallGpas[5], SeptLevel.Page4K).Value;
        ulong free = PageInfo.Of(SweepStage.SmallGpas[0], SeptLevel.Page4K).Value;
        ulong page = stage.Behind(tdr, SweepStage.SmallGpas[5], SeptLevel.Page4K);
        run.Must(HostLeaf.TDH_MEM_PAGE_REMOVE, blocked, tdr);
        run.Must(HostLeaf.TDH_MEM_PAGE_ADD, free, tdr, page, Generation.Scope.SourceAddress(run.Platform));
        Tell(run, page);
        run.Must(HostLeaf.TDH_MEM_RANGE_BLOCK, free, tdr);
        run.Must(HostLeaf.TDH_MEM_PAGE_REMOVE, free, tdr);
        ulong mapped = PageInfo.Of(SweepStage.SmallGpas[1], SeptLevel.Page4K).Value;
        run.Must(HostLeaf.TDH_MEM_PAGE_RELOCATE, mapped, tdr, page);
        Tell(run, page);
        run.Must(HostLeaf.TDH_MEM_RANGE_BLOCK, mapped, tdr);
        run.Must(HostLeaf.TDH_MEM_PAGE_REMOVE, mapped, tdr);
        ulong table = PageInfo.Of(SweepStage.LargeGpas[4], SeptLevel.Page2M).Value;
        foreach (int version in (int[])[0, 1])
        {
            RegisterFile add = SweepRunner.Registers(HostLeaf.TDH_MEM_SEPT_ADD, table, tdr, page);
            add.Rax |= (ulong)version << 16;
            run.Call(add with { R9 = ulong.MaxValue, R10 = ulong.MaxValue, R11 = ulong.MaxValue });
            Tell(run, page);
            run.Must(HostLeaf.TDH_MEM_RANGE_BLOCK, table, tdr);
            run.Must(HostLeaf.TDH_MEM_SEPT_REMOVE, table, tdr);
        }
    }

    /// <summary>A vCPU too many is refused and not counted.</summary>
    public static void VcpuCount(SweepRunner run)
    {
        SweepStage stage = SweepStage.Set(run, with1G: false, withMergeable: false);
        foreach (int version in (int[])[0, 1])
        {
            RegisterFile init = SweepRunner.Registers(HostLeaf.TDH_VP_INIT, stage.Crowded.CompleteVcpu, r8: 77);
            init.Rax |= (ulong)version << 16;
            run.Call(init);
            foreach (ulong field in Generation.Scope.TdFields.ToArray())
                run.Call(SweepRunner.Registers(HostLeaf.TDH_MNG_RD, stage.Crowded.Tdr, field));
        }
    }

    /// <summary>A table whose entry another agent locked before the table was blocked, and that was not tracked since.</summary>
    public static void LockedChild(SweepRunner run)
    {
        SweepStage stage = SweepStage.Set(run, with1G: false, withMergeable: false);
        ulong tdr = stage.Running.Tdr;
        ulong table = PageInfo.Of(SweepStage.LargeGpas[5], SeptLevel.Page2M).Value;
        var other = new LockOperation(PortLock.SeptEntry, true, false, tdr, SweepStage.LargeGpas[5]);
        run.Lock(other);
        run.Must(HostLeaf.TDH_MEM_RANGE_BLOCK, table, tdr);
        foreach (int version in (int[])[0, 1])
        {
            RegisterFile promote = SweepRunner.Registers(HostLeaf.TDH_MEM_PAGE_PROMOTE, table, tdr);
            promote.Rax |= (ulong)version << 16;
            run.Call(promote);
        }

        run.Unlock(other);
    }

    private static void Tell(SweepRunner run, ulong page) => run.Call(SweepRunner.Registers(HostLeaf.TDH_PHYMEM_PAGE_RDMD, page));
}
