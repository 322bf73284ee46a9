using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>What every VM exit and every TDCALL begins with (facts/checks.md, "Guest dispatcher"; facts/zerostep.md).</summary>
internal static class GuestSteps<S>
    where S : struct, IState
{
    public const int ZeroStepThreshold = 6;
    public const int FaultListSize = 32;

    /// <summary>Every VM exit: the TD may have become fatal; forward progress resets the zero-step counter and list.</summary>
    public static LeafBuilder<S> VmExit(LeafBuilder<S> leaf) => leaf
        .Check("VM exit: TDR.FATAL is clear", TdSteps<S>.IsNotFatal, Failure.To(CallEnd.NonAccessible))
        .Effect("VM exit: RIP differs from that at the last TDH.VP.ENTER: fault counter = 0, list of faulting GPAs empty", ResetOnForwardProgress);

    /// <summary>The guest dispatcher's own checks, then the leaf's.</summary>
    public static LeafBuilder<S> Tdcall(GuestLeaf leaf) => VmExit(new LeafBuilder<S>(LeafId.Of(leaf)));

    /// <summary>The guest got on since the last TDH.VP.ENTER: fault counter and list begin anew.</summary>
    public static void ResetOnForwardProgress(ref S s, ref Call c, int arg)
    {
        if (s.Vcpu(c.Vcpu, VcpuField.Rip) == s.Lp(c.Lp, LpField.RipAtEntry))
            return;
        s.SetVcpu(c.Vcpu, VcpuField.FaultCount, 0);
        s.SetVcpu(c.Vcpu, VcpuField.FaultListLength, 0);
    }
}
