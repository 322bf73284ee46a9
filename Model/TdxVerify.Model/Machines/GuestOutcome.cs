using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>What a guest did in one run between TDH.VP.ENTER and TD exit.</summary>
/// <param name="Vcpu">The vCPU; -1: no guest ran.</param>
/// <param name="Kind">The operation that it carried out or tried.</param>
/// <param name="End">How the operation ended.</param>
/// <param name="Status">The status that a TDCALL returned to the guest.</param>
/// <param name="Entry">The S-EPT entry that the operation ended at.</param>
public readonly record struct GuestOutcome(int Vcpu, GuestOperationKind Kind, CallEnd End, ulong Status, SeptEntry Entry)
{
    /// <summary>No guest ran.</summary>
    public static GuestOutcome None { get; } = new(-1, GuestOperationKind.Idle, CallEnd.Returned, 0, default);
}
