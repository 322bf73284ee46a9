using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>The kinds of steps that a leaf consists of.</summary>
public enum StepKind
{
    /// <summary>Reads operands or shared state into the call's locals.</summary>
    Read,

    /// <summary>A condition; where it does not hold, the call ends with the step's status.</summary>
    Check,

    /// <summary>A point where the hardware decides; where it fails, the call ends with the step's status.</summary>
    Choice,

    /// <summary>Takes a lock; where it is refused, the call ends with the step's status.</summary>
    Lock,

    /// <summary>Changes shared state, or sets output registers.</summary>
    Effect,

    /// <summary>Drops a lock, if the call holds it. A failed call goes on at the first release step.</summary>
    Release,
}

/// <summary>Modes of a lock.</summary>
public enum LockMode
{
    /// <summary>Shared.</summary>
    Shared,

    /// <summary>Exclusive.</summary>
    Exclusive,

    /// <summary>Shared, then promoted to exclusive.</summary>
    Promoted,

    /// <summary>Entry lock or mutex, host flavour.</summary>
    Host,

    /// <summary>Entry lock, guest flavour.</summary>
    Guest,

    /// <summary>Exclusive, taken and dropped within the step.</summary>
    Momentary,
}

/// <summary>Output registers that a failure adds to those set before.</summary>
public enum FailureDetail : byte
{
    /// <summary>None.</summary>
    None,

    /// <summary>RCX = arch S-EPT entry, RDX = level | state of the entry as last read (facts/checks.md, "How to read").</summary>
    SeptEntry,

    /// <summary>RCX and RDX are restored to the inputs.</summary>
    InputsRestored,

    /// <summary>Bits 31:0 of the status are the level of the entry.</summary>
    LevelInStatus,

    /// <summary>Bits 31:0 of the status are the x2APIC id in R8.</summary>
    X2ApicIdInStatus,

    /// <summary>RCX = CPUID leaf | sub-leaf &lt;&lt; 32; the check itself sets it.</summary>
    CpuidLeaf,

    /// <summary>All registers of an emulated EPT-violation TD exit (facts/zerostep.md).</summary>
    EmulatedEptViolation,
}

/// <summary>What the argument of a check is, where a faulty implementation could have another one.</summary>
public enum ArgumentKind : byte
{
    /// <summary>A slot, a register, or none of the below.</summary>
    Other,

    /// <summary>A set of S-EPT entry states, bit by <see cref="SeptState"/>.</summary>
    SeptStates,

    /// <summary>A set of OP_STATEs, bit by <see cref="OpState"/>.</summary>
    OpStates,

    /// <summary>A set of vCPU states, bit by <see cref="VcpuState"/>.</summary>
    VcpuStates,

    /// <summary>The lowest and the highest level of an S-EPT entry.</summary>
    Levels,
}

/// <summary>A condition: true lets the call go on.</summary>
public delegate bool StepTest<S>(ref S s, ref Call c, int argument);

/// <summary>Something that a call does.</summary>
public delegate void StepAction<S>(ref S s, ref Call c, int argument);

/// <summary>How a call ends when a check does not hold or a lock is refused.</summary>
/// <param name="Status">Status, operand id included.</param>
/// <param name="Detail">Registers added.</param>
/// <param name="End">How the call ends.</param>
/// <param name="Drop">A lock that is dropped at once, before the others.</param>
public readonly record struct Failure(
    ulong Status,
    FailureDetail Detail = FailureDetail.None,
    CallEnd End = CallEnd.Returned,
    LockId? Drop = null)
{
    /// <summary>A status with an operand id.</summary>
    public static Failure Of(ulong status, OperandId operand, FailureDetail detail = FailureDetail.None) =>
        new(status + (uint)operand, detail);

    /// <summary>A status whose operand is a register.</summary>
    public static Failure Of(ulong status, Register operand, FailureDetail detail = FailureDetail.None) =>
        new(status + (uint)operand, detail);

    /// <summary>A guest call that ends in something other than a status.</summary>
    public static Failure To(CallEnd end) => new(0, End: end);
}

/// <summary>A lock that a step takes or drops.</summary>
/// <param name="Id">Which.</param>
/// <param name="Mode">How.</param>
/// <param name="When">The condition under which it is taken at all; empty: always.</param>
public readonly record struct LockUse(LockId Id, LockMode Mode, string When = "");

/// <summary>One step of a leaf: a line of its specification, and the code that carries it out.</summary>
/// <typeparam name="S">The layout of the state.</typeparam>
public sealed record Step<S>
    where S : struct, IState
{
    /// <summary>What kind of step.</summary>
    public required StepKind Kind { get; init; }

    /// <summary>The rule, as documents print it.</summary>
    public required string Text { get; init; }

    /// <summary>How a message says that this check, choice or lock step decided against a call.</summary>
    public string DecidedAgainst => Kind switch
    {
        StepKind.Lock => $"refused: {Text}",
        StepKind.Choice => $"the hardware decided against: {Text}",
        _ => $"does not hold: {Text}",
    };

    /// <summary>The condition of a check, choice or lock step.</summary>
    public StepTest<S>? Test { get; init; }

    /// <summary>What a read, effect or release step does.</summary>
    public StepAction<S>? Action { get; init; }

    /// <summary>Argument for <see cref="Test"/> or <see cref="Action"/>: which slot, register, limit or set.</summary>
    public int Argument { get; init; }

    /// <summary>How the call ends when the test is false.</summary>
    public Failure Failure { get; init; }

    /// <summary>What a failed step takes back first; null: nothing.</summary>
    public StepAction<S>? Undo { get; init; }

    /// <summary>The lock that the step takes or drops.</summary>
    public LockUse? Lock { get; init; }

    /// <summary>The choice point.</summary>
    public ChoicePoint Choice { get; init; }

    /// <summary>What <see cref="Argument"/> is.</summary>
    public ArgumentKind ArgumentKind { get; init; }

    /// <summary>The argument is a threshold, limit or count that the specification fixes.</summary>
    public bool IsThreshold { get; init; }

    /// <summary>The registers that an effect step writes.</summary>
    public Register[] Writes { get; init; } = [];

    /// <summary>The effect sets registers to 0 before anything else.</summary>
    public bool IsPreset { get; init; }

    /// <summary>The lock that an effect step drops besides what it does; null: none.</summary>
    public LockId? Releases { get; init; }

    /// <summary>How the call ends, where an effect step decides that; null: it does not.</summary>
    public CallEnd? Ends { get; init; }
}
