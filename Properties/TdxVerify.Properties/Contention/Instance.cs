using TdxVerify.Abi;

namespace TdxVerify.Properties.Contention;

/// <summary>One call that can be paired with another: a SEAMCALL, or what a vCPU in the guest does.</summary>
/// <param name="Name">Its name in contention.csv.</param>
/// <param name="Leaf">Its leaf there.</param>
/// <param name="Lp">The processor that it must run on; -1: any.</param>
/// <param name="Input">Registers of the SEAMCALL; for <paramref name="InGuest"/> those of the TDH.VP.ENTER before.</param>
/// <param name="Tdvpr">HPA of the TDVPR; 0: no vCPU.</param>
/// <param name="InGuest">The vCPU is in the guest when the pair starts.</param>
/// <param name="Operation">What the vCPU is told to do; null: nothing new.</param>
public sealed record Instance(string Name, string Leaf, int Lp, RegisterFile Input, ulong Tdvpr, bool InGuest, GuestOperation? Operation)
{
    /// <summary>HPA of its TDR; 0: none, or none that an operand names.</summary>
    public ulong Tdr { get; init; }

    /// <summary>The GPA that it concerns; null: none.</summary>
    public ulong? Gpa { get; init; }

    /// <summary>The level of that GPA.</summary>
    public int Level { get; init; }

    /// <summary>HPAs of pages that it takes or names.</summary>
    public IReadOnlyList<ulong> Pages { get; init; } = [];

    /// <summary>The call is one on a vCPU: TDH.VP.ENTER, or what the guest does.</summary>
    public bool IsOfVcpu => Operation is not null || InGuest || Input.Rax == (ulong)HostLeaf.TDH_VP_ENTER;

    /// <summary>The guest's operation is a TDCALL: the outcome names what it returned.</summary>
    public bool HasTdcall => Operation is { Kind: GuestOperationKind.Tdcall };
}
