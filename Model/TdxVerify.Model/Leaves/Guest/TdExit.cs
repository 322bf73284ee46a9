namespace TdxVerify.Model;

/// <summary>TD exit, asynchronous or by TDG.VP.VMCALL (facts/checks.md, "TD exit").</summary>
internal static class TdExit<S>
    where S : struct, IState
{
    public static Leaf<S> Declare() => new LeafBuilder<S>(new LeafId("TD exit", true, -1))
        .Read("TDVPR and TDR, locked shared since TDH.VP.ENTER", ReadPages)
        .Effect("vCPU state = VCPU_READY", SetReady)
        .Effect("last TD exit = TDVMCALL or ASYNC_FAULT", SetLastExit)
        .Effect("REFCOUNT[vCPU epoch & 1] -1 (no epoch lock)", UncountRunning)
        .Effect("this LP is out of the guest", LeaveGuest)
        .ReleaseOwnerTdr()
        .ReleasePage(PageSlot.Tdvpr, "TDVPR")
        .Build();

    // The guest runs up to here.
    [Visible(Touches = Touched.OwnPages)]
    private static void ReadPages(ref S s, ref Call c, int arg)
    {
        c.Page[(int)PageSlot.Tdvpr] = (int)s.Vcpu(c.Vcpu, VcpuField.TdvprPage);
        c.Page[(int)PageSlot.Tdr] = (int)s.Td(c.Td, TdField.TdrPage);
        c.Take(Call.PamtLock(PageSlot.Tdr, 0), exclusive: false);
        for (int size = 0; size <= 2; size++)
            c.Take(Call.PamtLock(PageSlot.Tdvpr, size), exclusive: false);
    }

    private static void SetReady(ref S s, ref Call c, int arg) =>
        s.SetVcpu(c.Vcpu, VcpuField.State, (ulong)VcpuMachine.Declared.To(Trigger.TD_EXIT));

    private static void SetLastExit(ref S s, ref Call c, int arg) =>
        s.SetVcpu(c.Vcpu, VcpuField.LastExit, (ulong)(c.End == CallEnd.Vmcall ? LastTdExit.TDVMCALL : LastTdExit.ASYNC_FAULT));

    [Visible]
    private static void UncountRunning(ref S s, ref Call c, int arg)
    {
        TdField count = TdSteps<S>.RefCount(s.Vcpu(c.Vcpu, VcpuField.Epoch));
        s.SetTd(c.Td, count, s.Td(c.Td, count) - 1);
    }

    private static void LeaveGuest(ref S s, ref Call c, int arg) => s.SetLp(c.Lp, LpField.RunningVcpu, 0);
}
