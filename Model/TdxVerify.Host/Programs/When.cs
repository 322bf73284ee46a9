using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Host;

/// <summary>
/// A test of an action's result, by which a transition is chosen. Tests of a status are what host code does with it,
/// right or wrong: a class, an operand, or any mask.
/// </summary>
/// <param name="Text">The test, as diagrams and lanes print it.</param>
/// <param name="Holds">The test.</param>
/// <param name="Kinds">The results that it can be asked of.</param>
public sealed record When(string Text, Predicate<Answer> Holds, params ResultKind[] Kinds)
{
    private const ulong PendingType = 6;
    private const ulong TypeMask = 0xF;
    private const ulong AcceptType = 1;

    private static readonly ResultKind[] s_status = [ResultKind.Status, ResultKind.Returned];

    /// <summary>The action answered yes.</summary>
    public static When Yes { get; } = new("yes", answer => answer.Status != 0, ResultKind.YesNo);

    /// <summary>The action answered no.</summary>
    public static When No { get; } = new("no", answer => answer.Status == 0, ResultKind.YesNo);

    /// <summary>The mirror SPTE holds nothing.</summary>
    public static When IsNone { get; } = new("none", answer => answer.Status == MirrorSpte.None, ResultKind.Spte);

    /// <summary>The mirror SPTE is frozen: somebody is changing it.</summary>
    public static When IsFrozen { get; } = new("frozen", answer => answer.Status == MirrorSpte.Frozen, ResultKind.Spte);

    /// <summary>The mirror SPTE maps a page or points to a table.</summary>
    public static When IsPresent { get; } = new("present", answer => answer.Status >= MirrorSpte.FirstPresent, ResultKind.Spte);

    /// <summary>The guest's access was carried out.</summary>
    public static When AccessDone { get; } = new("done", answer => answer.Status == 0, ResultKind.Access);

    /// <summary>The guest's access caused a #VE.</summary>
    public static When VirtualizationException { get; } = new("#VE", answer => answer.Status == 1, ResultKind.Access);

    /// <summary>The guest's access caused a #PF.</summary>
    public static When PageFault { get; } = new("#PF", answer => answer.Status == 2, ResultKind.Access);

    /// <summary>TDX_SUCCESS.</summary>
    public static When Success { get; } = Exactly(Status.TDX_SUCCESS);

    /// <summary>TDX_OPERAND_BUSY, whatever the operand: how KVM tests it (facts/kvm.md, 0.1).</summary>
    public static When Busy { get; } = Class(Status.TDX_OPERAND_BUSY);

    /// <summary>Bit 63: the call failed.</summary>
    public static When Error { get; } = OfStatus("error", answer => new StatusCode(answer.Status).IsError);

    /// <summary>TDH.VP.ENTER: TD exit by an EPT violation, real or emulated.</summary>
    public static When EptViolation { get; } = Exit(ExitReason.EptViolation);

    /// <summary>TDH.VP.ENTER: TD exit by an EPT violation of a pending page.</summary>
    public static When PendingViolation { get; } = OfStatus("EPT violation, pending page", answer => IsViolation(answer, PendingType));

    /// <summary>TDH.VP.ENTER: TD exit by an EPT violation of TDG.MEM.PAGE.ACCEPT.</summary>
    public static When AcceptViolation { get; } = OfStatus("EPT violation, ACCEPT", answer => IsViolation(answer, AcceptType));

    /// <summary>TDH.VP.ENTER: TD exit by an external interrupt.</summary>
    public static When Interrupt { get; } = Exit(ExitReason.ExternalInterrupt);

    /// <summary>TDH.VP.ENTER: TD exit by TDG.VP.VMCALL.</summary>
    public static When Vmcall { get; } = Exit(ExitReason.Tdcall);

    /// <summary>Whatever it is that no earlier test took.</summary>
    internal static When Anything { get; } = new("otherwise", _ => true, Enum.GetValues<ResultKind>());

    /// <summary>It is <see cref="Anything"/>, of whatever results.</summary>
    internal bool IsAnything => ReferenceEquals(Holds, Anything.Holds);

    /// <summary>TDX_OPERAND_BUSY of one operand.</summary>
    public static When BusyOn(OperandId operand) => Exactly(Status.TDX_OPERAND_BUSY + (uint)operand);

    /// <summary>The upper 32 bits are those of a status.</summary>
    public static When Class(ulong status) =>
        OfStatus(ClassName(status), answer => (answer.Status & StatusCode.NameMask) == (status & StatusCode.NameMask));

    /// <summary>All 64 bits are those of a status.</summary>
    public static When Exactly(ulong status) => OfStatus(StatusTable.NameOf(status), answer => answer.Status == status);

    /// <summary>The bits of a mask have a value.</summary>
    public static When Masked(ulong mask, ulong value) => OfStatus($"err & {mask:x} == {value:x}", answer => (answer.Status & mask) == value);

    /// <summary>
    /// Any bit of a mask is set: <c>err &amp; TDX_OPERAND_BUSY</c>, which is also true of statuses that only share bits
    /// with it (facts/retry-proposals.md, bug 5).
    /// </summary>
    public static When AnyBitOf(ulong mask) => OfStatus($"err & {ClassName(mask)}", answer => (answer.Status & mask) != 0);

    /// <summary>The bits of an output register have a value.</summary>
    public static When Output(Register register, ulong mask, ulong value) =>
        new($"{register.ToString().ToUpperInvariant()} & {mask:x} == {value:x}", answer => (answer.Registers[register] & mask) == value, ResultKind.Status);

    /// <summary>The called program returned this code.</summary>
    public static When Returned(string code) => new(code, answer => answer.Code == code, ResultKind.Returned);

    /// <summary>Both tests hold.</summary>
    public static When operator &(When left, When right) => BitwiseAnd(left, right);

    /// <summary>The same as <c>&amp;</c>.</summary>
    public static When BitwiseAnd(When left, When right) => new(
        $"{left.Text} and {right.Text}", answer => left.Holds(answer) && right.Holds(answer), [.. left.Kinds.Intersect(right.Kinds)]);

    /// <summary>The test does not hold.</summary>
    public static When operator !(When test) => LogicalNot(test);

    /// <summary>The same as <c>!</c>.</summary>
    public static When LogicalNot(When test) => new($"not {test.Text}", answer => !test.Holds(answer), test.Kinds);

    private static When Exit(ExitReason reason) => OfStatus(NameOf(reason), answer => answer.Status == (ulong)reason);

    /// <summary>What a TD exit is called.</summary>
    internal static string NameOf(ExitReason reason) => reason switch
    {
        ExitReason.Tdcall => "TDG.VP.VMCALL",
        ExitReason.ExternalInterrupt => "TD exit by an interrupt",
        _ => "EPT violation",
    };

    // A test that leaves the operand open names none.
    private static string ClassName(ulong status) => StatusTable.Find(status)?.Name ?? $"0x{status & StatusCode.NameMask:x}";

    private static When OfStatus(string text, Predicate<Answer> holds) => new(text, answer => answer.Code is null && holds(answer), s_status);

    private static bool IsViolation(Answer answer, ulong type) =>
        answer.Status == (ulong)ExitReason.EptViolation && (answer.Registers.Rdx & TypeMask) == type;
}
