using TdxVerify.Abi;
using TdxVerify.Properties.Generation;

namespace TdxVerify.Properties.Sweeps;

/// <summary>
/// Calls that are refused, followed by what would be possible if they were not. A model without the steps that refuse
/// them goes on here: this shows what shadows a fault in the steps behind.
/// </summary>
internal static class RefusedCalls
{
    /// <summary>The sequences.</summary>
    public static IEnumerable<ISweep> All =>
    [
        new ScriptedSweep("a vCPU of a TD with 3 TDCS pages", run => Vcpu(run, stage => stage.Incomplete)),
        new ScriptedSweep("a vCPU of a TD with 5 TDCS pages", run => Vcpu(run, stage => stage.AlmostComplete)),
        new ScriptedSweep("a vCPU of a TD that is not initialised", run => Vcpu(run, stage => stage.Complete)),
        new ScriptedSweep("a TD initialised with 5 TDCS pages", InitializedEarly),
        new ScriptedSweep("a TD after TDH.MNG.VPFLUSHDONE", AfterFlush),
        new ScriptedSweep("a page at a shared GPA", SharedGpa),
        new ScriptedSweep("a vCPU in the guest is built on", ActiveVcpu),
        new ScriptedSweep("a page at the level of a table", PageAtTable),
        new ScriptedSweep("a range that is blocked already", BlockedAlready),
        new ScriptedSweep("KOT and write-back mutex held", HeldLocks),
    ];

    private static void BlockedAlready(SweepRunner run)
    {
        SweepStage stage = SweepStage.Set(run, with1G: false, withMergeable: false);
        ulong[] blocked =
        [
            PageInfo.Of(SweepStage.SmallGpas[2], SeptLevel.Page4K).Value,
            PageInfo.Of(SweepStage.SmallGpas[4], SeptLevel.Page4K).Value,
            PageInfo.Of(SweepStage.LargeGpas[2], SeptLevel.Page2M).Value,
            PageInfo.Of(SweepStage.LargeGpas[3], SeptLevel.Page2M).Value,
        ];
        foreach (ulong tdr in (ulong[])[stage.Built.Tdr, stage.Running.Tdr])
        {
            foreach (ulong entry in blocked)
            {
                StatusCode answer = run.Call(SweepRunner.Registers(HostLeaf.TDH_MEM_RANGE_BLOCK, entry, tdr));
                if ((answer.Value & StatusCode.NameMask) != Status.TDX_GPA_RANGE_ALREADY_BLOCKED)
                    throw new InvalidOperationException($"S-EPT entry 0x{entry:x} is not blocked on the stage: {answer}");
            }
        }
    }

    private static void Vcpu(SweepRunner run, Func<SweepStage, ulong> td)
    {
        SweepStage stage = SweepStage.Set(run, with1G: false, withMergeable: false);
        ulong tdr = td(stage);
        ulong tdvpr = stage.NextUnassigned();
        run.Call(SweepRunner.Registers(HostLeaf.TDH_VP_CREATE, tdvpr, tdr));
        var opState = new LockOperation(PortLock.OpState, true, false, tdr);
        for (int pages = 1; pages <= SweepStage.TdvpsPages; pages++)
        {
            if (run.Lock(opState))
            {
                CallVcpu(run, stage, tdvpr);
                run.Unlock(opState);
            }

            CallVcpu(run, stage, tdvpr);
        }

        run.Call(SweepRunner.Registers(HostLeaf.TDH_MNG_VPFLUSHDONE, tdr));
        CallVcpu(run, stage, tdvpr);
    }

    private static void CallVcpu(SweepRunner run, SweepStage stage, ulong tdvpr)
    {
        run.Call(SweepRunner.Registers(HostLeaf.TDH_VP_RD, tdvpr, Scope.VcpuFields[0]));
        run.Call(SweepRunner.Registers(HostLeaf.TDH_VP_ENTER, tdvpr));
        RegisterFile init = SweepRunner.Registers(HostLeaf.TDH_VP_INIT, tdvpr);
        run.Call(init);
        init.Rax |= 1UL << 16;
        run.Call(init);
        run.Call(SweepRunner.Registers(HostLeaf.TDH_VP_ADDCX, stage.NextUnassigned(), tdvpr));
    }

    private static void InitializedEarly(SweepRunner run)
    {
        SweepStage stage = SweepStage.Set(run, with1G: false, withMergeable: false);
        ulong parameters = Scope.ParametersAddress(run.Platform);
        run.Write(parameters, TdParamsImage.Build(septVeDisable: false, fiveLevels: false, wideGpa: false, maxVcpus: 8, illegal: -1, mayNameL2Vms: false));
        run.Call(SweepRunner.Registers(HostLeaf.TDH_MNG_INIT, stage.AlmostComplete, parameters));
        run.Call(SweepRunner.Registers(HostLeaf.TDH_MNG_ADDCX, stage.NextUnassigned(), stage.AlmostComplete));
    }

    private static void AfterFlush(SweepRunner run)
    {
        SweepStage stage = SweepStage.Set(run, with1G: false, withMergeable: false);
        run.Must(HostLeaf.TDH_VP_FLUSH, stage.Idle.ReadyVcpu);
        run.Must(HostLeaf.TDH_MNG_VPFLUSHDONE, stage.Idle.Tdr);
        run.Call(SweepRunner.Registers(HostLeaf.TDH_VP_RD, stage.Idle.ReadyVcpu, Scope.VcpuFields[0]));
        run.Call(SweepRunner.Registers(HostLeaf.TDH_MNG_VPFLUSHDONE, stage.Idle.Tdr));
        var other = new LockOperation(PortLock.Tdr, true, false, stage.Idle.Tdr);
        run.Lock(other);
        run.Call(SweepRunner.Registers(HostLeaf.TDH_VP_FLUSH, stage.Idle.ReadyVcpu));
        run.Unlock(other);
        run.Must(HostLeaf.TDH_MNG_VPFLUSHDONE, stage.Full);
        run.Call(SweepRunner.Registers(HostLeaf.TDH_MNG_ADDCX, stage.NextUnassigned(), stage.Full));
    }

    private static void SharedGpa(SweepRunner run)
    {
        const ulong shared = 1UL << 47;
        SweepStage stage = SweepStage.Set(run, with1G: false, withMergeable: false);
        for (int level = SeptLevel.Pml4; level >= SeptLevel.Page2M; level--)
            run.Call(SweepRunner.Registers(HostLeaf.TDH_MEM_SEPT_ADD, PageInfo.Of(shared, level).Value, stage.Built.Tdr, stage.NextUnassigned()));
        run.Call(SweepRunner.Registers(HostLeaf.TDH_MEM_PAGE_ADD, shared, stage.Built.Tdr, stage.NextUnassigned(), Scope.SourceAddress(run.Platform)));
        run.Must(HostLeaf.TDH_MR_FINALIZE, stage.Built.Tdr);
        run.Run(stage.Built.ReadyVcpu, 0, new GuestOperation { Kind = GuestOperationKind.Access, Access = GuestAccess.Read, Rip = 0x50_0000, Gpa = shared });
    }

    private static void ActiveVcpu(SweepRunner run)
    {
        SweepStage stage = SweepStage.Set(run, with1G: false, withMergeable: false);
        CallVcpu(run, stage, stage.Running.ActiveVcpu);
    }

    private static void PageAtTable(SweepRunner run)
    {
        SweepStage stage = SweepStage.Set(run, with1G: false, withMergeable: false);
        ulong source = Scope.SourceAddress(run.Platform);
        foreach (ulong gpa in (ulong[])[SweepStage.LargeGpas[3], SweepStage.LargeGpas[5]])
        {
            ulong entry = PageInfo.Of(gpa, SeptLevel.Page2M).Value;
            run.Call(SweepRunner.Registers(HostLeaf.TDH_MEM_PAGE_RELOCATE, entry, stage.Built.Tdr, stage.NextUnassigned()));
            run.Call(SweepRunner.Registers(HostLeaf.TDH_MEM_PAGE_ADD, entry, stage.Built.Tdr, stage.NextUnassigned(), source));
        }
    }

    private static void HeldLocks(SweepRunner run)
    {
        SweepStage stage = SweepStage.Set(run, with1G: false, withMergeable: false);
        run.Call(SweepRunner.Registers(HostLeaf.TDH_PHYMEM_CACHE_WB));
        run.Call(SweepRunner.Registers(HostLeaf.TDH_MNG_CREATE, stage.NextUnassigned(), (ulong)run.Platform.HkidFirst + 28));
        run.Call(SweepRunner.Registers(HostLeaf.TDH_PHYMEM_CACHE_WB));
        run.Call(SweepRunner.Registers(HostLeaf.TDH_MNG_CREATE, stage.NextUnassigned(), (ulong)run.Platform.HkidFirst + 29));
    }
}
