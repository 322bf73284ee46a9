using TdxVerify.Abi;

namespace TdxVerify.Properties.Sweeps;

/// <summary>
/// Operands inside a large page: the PAMT walk ends at the entry of that page. What a walk that went on would do to
/// the entries below shows once the page is split again: a host attempt takes back the host priority that an earlier,
/// refused one left there.
/// </summary>
internal static class LargePageSweep
{
    /// <summary>Operands inside a 2 MiB page: no walk gets to the 4 KiB entries below.</summary>
    public static void Inside2M(SweepRunner run)
    {
        SweepStage stage = SweepStage.Set(run, with1G: false, withMergeable: true);
        List<(SweepCall Call, Register Operand)> operands = Operands(run, stage);
        for (int i = 0; i < operands.Count; i++)
            LeaveHostPriority(run, PageOf(i));
        ulong entry = PageInfo.Of(SweepStage.GpaMergeable, SeptLevel.Page2M).Value;
        run.Must(HostLeaf.TDH_MEM_PAGE_PROMOTE, entry, stage.Built.Tdr);
        for (int i = 0; i < operands.Count; i++)
            Call(run, operands[i], PageOf(i));
        run.Must(HostLeaf.TDH_MEM_PAGE_DEMOTE, entry, stage.Built.Tdr, stage.NextUnassigned());
        for (int i = 0; i < operands.Count; i++)
            run.TryAsGuest(PortLock.Pamt, PageOf(i));

        ulong PageOf(int i) => stage.MergeableBlock + ((ulong)i << Hpa.PageShift);
    }

    /// <summary>Operands inside a 1 GiB page: no walk gets to the 2 MiB entries below.</summary>
    public static void Inside1G(SweepRunner run)
    {
        SweepStage stage = SweepStage.Set(run, with1G: false, withMergeable: false);
        if (stage.FreeGiB == 0)
            return;
        List<(SweepCall Call, Register Operand)> operands = Operands(run, stage);
        RunAVcpuThere(run, stage);
        stage.Fill1G();
        for (int i = 0; i < operands.Count; i++)
            LeaveHostPriority(run, BlockOf(i));
        stage.Merge1G();
        for (int i = 0; i < operands.Count; i++)
            Call(run, operands[i], BlockOf(i) + (5 * Hpa.PageSize));
        Locked(run, stage, operands);
        OutsideTheTdmr(run, stage, operands);
        run.Must(HostLeaf.TDH_MEM_PAGE_DEMOTE, PageInfo.Of(SweepStage.Gpa1G, SeptLevel.Page1G).Value, stage.Built.Tdr, stage.NextUnassigned());
        for (int i = 0; i < operands.Count; i++)
            run.TryAsGuest(PortLock.Pamt, BlockOf(i));

        ulong BlockOf(int i) => stage.FreeGiB + ((ulong)i * SeptLevel.Size(SeptLevel.Page2M));
    }

    private static List<(SweepCall Call, Register Operand)> Operands(SweepRunner run, SweepStage stage)
    {
        var operands = new List<(SweepCall, Register)>();
        foreach (HostLeaf leaf in LeafNames.ModelledHost)
        {
            foreach (SweepCall call in SweepCall.Of(leaf, stage))
            {
                foreach (Register? operand in (Register?[])[call.Tdr, call.Tdvpr, call.Page])
                {
                    if (operand is { } register)
                        operands.Add((call, register));
                }
            }
        }

        return operands;
    }

    private static void Call(SweepRunner run, (SweepCall Call, Register Operand) at, ulong page)
    {
        const ulong flags = 0xFFF;
        RegisterFile registers = at.Call.Registers;
        registers[at.Operand] = page | (registers[at.Operand] & flags);
        run.Call(registers, at.Call.Lp);
    }

    // A refused host attempt leaves host priority, which stays when the lock is dropped.
    private static void LeaveHostPriority(SweepRunner run, ulong page)
    {
        var other = new LockOperation(PortLock.Pamt, true, false, page);
        run.Lock(other);
        run.Call(SweepRunner.Registers(HostLeaf.TDH_PHYMEM_PAGE_RDMD, page));
        run.Unlock(other);
    }

    private static void Locked(SweepRunner run, SweepStage stage, List<(SweepCall Call, Register Operand)> operands)
    {
        foreach (bool exclusive in (bool[])[true, false])
        {
            var other = new LockOperation(PortLock.Pamt, exclusive, false, stage.Inside1G);
            foreach ((SweepCall Call, Register Operand) at in operands)
            {
                run.Lock(other);
                Call(run, at, stage.Inside1G);
                run.Unlock(other);
                run.TryAsGuest(PortLock.Pamt, stage.Inside1G);
                Call(run, at, stage.Inside1G);
                run.TryAsGuest(PortLock.Pamt, stage.Inside1G);
            }
        }
    }

    // Who locks before it knows where the page is meets the lock of the page of the call before.
    private static void OutsideTheTdmr(SweepRunner run, SweepStage stage, List<(SweepCall Call, Register Operand)> operands)
    {
        var other = new LockOperation(PortLock.Pamt, true, false, stage.Inside1G);
        run.Lock(other);
        foreach ((SweepCall Call, Register Operand) at in operands)
        {
            Call(run, at, stage.Inside1G);
            Call(run, at, run.Platform.PageEnd);
        }

        run.Unlock(other);
    }

    // The whole GiB can be merged later only if no call and no TD exit left a reader on its PAMT entry. Only 1.5.05
    // knows version 1 of TDH.VP.INIT.
    private static void RunAVcpuThere(SweepRunner run, SweepStage stage)
    {
        ulong tdr = stage.WithoutVcpu;
        ulong[] vcpus = [stage.FreeGiB, stage.FreeGiB + Hpa.PageSize];
        for (int version = 0; version < vcpus.Length; version++)
        {
            run.Must(HostLeaf.TDH_VP_CREATE, vcpus[version], tdr);
            for (int i = 1; i < SweepStage.TdvpsPages; i++)
                run.Must(HostLeaf.TDH_VP_ADDCX, stage.NextUnassigned(), vcpus[version]);
            RegisterFile init = SweepRunner.Registers(HostLeaf.TDH_VP_INIT, vcpus[version], r8: 77);
            init.Rax |= (ulong)version << 16;
            run.Call(init);
        }

        run.Must(HostLeaf.TDH_MR_FINALIZE, tdr);
        run.Call(SweepRunner.Registers(HostLeaf.TDH_VP_ENTER, vcpus[0]));
        foreach (ulong vcpu in vcpus)
            run.Call(SweepRunner.Registers(HostLeaf.TDH_VP_FLUSH, vcpu));
        run.Must(HostLeaf.TDH_MNG_VPFLUSHDONE, tdr);
        run.Must(HostLeaf.TDH_PHYMEM_CACHE_WB);
        run.Must(HostLeaf.TDH_MNG_KEY_FREEID, tdr);
        foreach (ulong vcpu in vcpus)
            run.Must(HostLeaf.TDH_PHYMEM_PAGE_RECLAIM, vcpu);
    }
}
