using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Properties.Laws.Calls;

/// <summary>A reason for which a call ends: true where it holds in the state before the call.</summary>
internal delegate bool Reason(CallFacts c);

/// <summary>What kind of reason ends a call.</summary>
internal enum RuleKind : byte
{
    /// <summary>A condition on operands or state.</summary>
    Check,

    /// <summary>A lock that is refused.</summary>
    Lock,

    /// <summary>Something that the state does not determine (no entropy, a changed TSC).</summary>
    Choice,

    /// <summary>The call is done here, successfully.</summary>
    Done,
}

/// <summary>Output registers that a failure shows beyond the leaf's presets (facts/checks.md, "regs").</summary>
internal enum Shown : byte
{
    /// <summary>None.</summary>
    Presets,

    /// <summary>RCX and RDX: the S-EPT entry before the call.</summary>
    Entry,

    /// <summary>RCX and RDX: as they came in.</summary>
    Inputs,

    /// <summary>RCX, RDX, R8: type, owner and size of the page.</summary>
    Page,

    /// <summary>The registers of an EPT-violation TD exit.</summary>
    EptViolation,

    /// <summary>RCX: CPUID leaf and sub-leaf.</summary>
    CpuidLeaf,
}

/// <summary>One row of a leaf's ordered checks: how the call ends, and the reason that must be true then.</summary>
/// <param name="Kind">What kind of reason.</param>
/// <param name="Status">Status with operand id; for a guest's exit or exception 0.</param>
/// <param name="Text">The reason in words, as a statement that is true when the call ends so.</param>
/// <param name="Holds">The reason.</param>
internal sealed record Rule(RuleKind Kind, ulong Status, string Text, Reason Holds)
{
    /// <summary>The choice point.</summary>
    public ChoicePoint Choice { get; init; }

    /// <summary>How the call ends: with a status, unless a guest leaves or gets an exception.</summary>
    public CallEnd End { get; init; }

    /// <summary>Output registers beyond the presets.</summary>
    public Shown Shows { get; init; }

    /// <summary>Bits 31:0 of the status hold a number found out by the call; null: none.</summary>
    public Func<CallFacts, uint>? Details { get; init; }

    /// <summary>The status that a call shows which ends here.</summary>
    public ulong StatusOf(CallFacts c) => Details is null ? Status : Status + Details(c);

    /// <summary>A call that ends here returns OPERAND_BUSY.</summary>
    public bool IsBusy => Kind == RuleKind.Lock;
}
