using TdxVerify.Abi;

namespace TdxVerify.Reference;

/// <summary>
/// The zero-step mitigation (facts/zerostep.md): faults at one RIP are counted; from the seventh on their GPAs are
/// listed; with a list, the next entry first makes sure that each listed GPA is mapped.
/// </summary>
internal static unsafe class ZeroStep
{
    public const int ListSize = 32;

    private const int Threshold = 6;

    /// <summary>
    /// Every VM exit, before it is handled: another RIP than at TDH.VP.ENTER is forward progress and forgets all.
    /// </summary>
    public static void OnVmExit(LogicalProcessor lp)
    {
        Tdvps* vcpu = lp.Vcpu;
        if (vcpu->Rip == lp.RipAtEntry)
            return;
        vcpu->FaultCount = 0;
        vcpu->FaultListLength = 0;
    }

    /// <summary>An EPT violation on a private GPA leaves to the host. The GPA counts with its low 12 bits.</summary>
    public static void Log(LogicalProcessor lp, ulong gpa)
    {
        OnVmExit(lp);
        Tdvps* vcpu = lp.Vcpu;
        if (vcpu->FaultCount < Threshold)
        {
            vcpu->FaultCount++;
            return;
        }

        int length = vcpu->FaultListLength;
        if (length == ListSize || new ReadOnlySpan<ulong>(vcpu->FaultList, length).Contains(gpa))
            return;
        vcpu->FaultList[length] = gpa;
        vcpu->FaultListLength = (byte)(length + 1);
    }

    /// <summary>The first listed GPA that does not translate with all permissions; false: all do.</summary>
    public static bool TryFindFaulting(TdxModule module, Tdcs* tdcs, Tdvps* vcpu, out ulong gpa)
    {
        for (int i = 0; i < vcpu->FaultListLength; i++)
        {
            gpa = vcpu->FaultList[i];
            int level = SeptLevel.Page4K;
            SeptWalk.Walk(module, tdcs, gpa, ref level, out ulong entry);
            bool translates = SeptEntry.IsLeaf(entry)
                && (entry & SeptEntry.PermissionsMask) == SeptEntry.PermissionsMask;
            if (!translates)
                return true;
        }

        gpa = 0;
        return false;
    }
}
