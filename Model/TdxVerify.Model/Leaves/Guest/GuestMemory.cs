using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>
/// A guest access to memory: what the processor does, and what the module makes of an EPT violation
/// (facts/zerostep.md). It is no leaf; its steps are declared like those of one.
/// </summary>
internal static class GuestMemory<S>
    where S : struct, IState
{
    private const ulong PendingType = 6;

    public static Leaf<S> Declare() => GuestSteps<S>.VmExit(new LeafBuilder<S>(new LeafId("guest memory access", true, -1))
            .Check("GPA is not shared (a shared one is a #VE without exit)", IsNotShared, Failure.To(CallEnd.VirtualizationException))
            .Check("the processor's S-EPT walk does not end at a page with R, W, X (else the access is done)", IsNotMapped, Failure.To(CallEnd.AccessDone)))
        .Check("no GPA bit above SHARED (else #PF)", IsNotTooWide, Failure.To(CallEnd.PageFault))
        .Read("the module's own S-EPT walk, without any lock", WalkAgain)
        .Check("page is not pending, or PENDING_VE_DISABLE is 1 (else #VE)", IsNoVirtualizationException, Failure.To(CallEnd.VirtualizationException))
        .Effect("fault counter at the threshold: GPA appended to the list of faulting GPAs, if it has room and the GPA is new", AppendGpa, GuestSteps<S>.ZeroStepThreshold, threshold: true)
        .Effect("fault counter below the threshold: fault counter +1", CountFault, GuestSteps<S>.ZeroStepThreshold, threshold: true)
        .Effect("TD exit: EPT violation", Exit, ends: CallEnd.EptViolation)
        .Build();

    private static int SharedBit(ref S s, ref Call c) => Gpa.SharedBit(SeptSteps<S>.HasWideGpa(ref s, c.Td));

    private static bool IsTooWide(ref S s, ref Call c) => c.Gpa >> (SharedBit(ref s, ref c) + 1) != 0;

    private static bool IsNotTooWide(ref S s, ref Call c, int arg) => !IsTooWide(ref s, ref c);

    private static bool IsNotShared(ref S s, ref Call c, int arg) =>
        IsTooWide(ref s, ref c) || (c.Gpa >> SharedBit(ref s, ref c) & 1) == 0;

    [Visible(Part = nameof(WalkOneLevelToMapped), Touches = Touched.Translation)]
    private static bool IsNotMapped(ref S s, ref Call c, int arg)
    {
        if (IsTooWide(ref s, ref c))
            return true;
        SeptSteps<S>.Walk(ref s, ref c, SeptLevel.Page4K);
        return c.Value.State != SeptState.MAPPED;
    }

    private static bool WalkOneLevelToMapped(ref S s, ref Call c, int arg)
    {
        if (IsTooWide(ref s, ref c))
            return true;
        SeptSteps<S>.WalkOneLevel(ref s, ref c, SeptLevel.Page4K);
        return c.Value.State != SeptState.MAPPED;
    }

    [Visible(Part = nameof(WalkOneLevelAgain), Touches = Touched.Violation, Sets = [nameof(Call.Level), nameof(Call.Entry), nameof(Call.Value)])]
    private static void WalkAgain(ref S s, ref Call c, int arg) => SeptSteps<S>.Walk(ref s, ref c, SeptLevel.Page4K);

    private static void WalkOneLevelAgain(ref S s, ref Call c, int arg) => SeptSteps<S>.WalkOneLevel(ref s, ref c, SeptLevel.Page4K);

    private static bool IsNoVirtualizationException(ref S s, ref Call c, int arg) =>
        c.Value.State != SeptState.PENDING || s.Td(c.Td, TdField.PendingVeDisable) != 0;

    private static void AppendGpa(ref S s, ref Call c, int threshold)
    {
        if (s.Vcpu(c.Vcpu, VcpuField.FaultCount) < (ulong)threshold)
            return;
        int length = (int)s.Vcpu(c.Vcpu, VcpuField.FaultListLength);
        for (int i = 0; i < length; i++)
        {
            if (s.FaultingGpa(c.Vcpu, i) == c.Gpa)
                return;
        }

        if (length == GuestSteps<S>.FaultListSize)
            return;
        s.SetFaultingGpa(c.Vcpu, length, c.Gpa);
        s.SetVcpu(c.Vcpu, VcpuField.FaultListLength, (ulong)length + 1);
    }

    private static void CountFault(ref S s, ref Call c, int threshold)
    {
        ulong count = s.Vcpu(c.Vcpu, VcpuField.FaultCount);
        if (count < (ulong)threshold)
            s.SetVcpu(c.Vcpu, VcpuField.FaultCount, count + 1);
    }

    private static void Exit(ref S s, ref Call c, int arg)
    {
        c.End = CallEnd.EptViolation;
        c.Status = (ulong)ExitReason.EptViolation;
        c.Out.Rcx = (ulong)c.Access;
        c.Out.Rdx = c.Value.State == SeptState.PENDING ? PendingType : 0;
        c.Out.R8 = c.Gpa & ~(ulong)(Hpa.PageSize - 1);
    }
}
