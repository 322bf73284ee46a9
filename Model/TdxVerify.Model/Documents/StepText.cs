using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>What documents and explanations say about a declared step.</summary>
public static class StepText
{
    /// <summary>The kind of a step, in one word.</summary>
    public static string Name(this StepKind kind) => kind.ToString().ToLowerInvariant();

    /// <summary>How a call ends, in words; empty: it returns to its caller.</summary>
    public static string Name(this CallEnd end) => end switch
    {
        CallEnd.InGuest => "the vCPU is in the guest",
        CallEnd.EmulatedEptViolation => "an EPT violation TD exit is emulated",
        CallEnd.EptViolation => "TD exit, EPT violation",
        CallEnd.InterruptExit => "TD exit, external interrupt",
        CallEnd.Vmcall => "TD exit, TDG.VP.VMCALL",
        CallEnd.NonAccessible => "TD exit, TD not accessible",
        CallEnd.VirtualizationException => "#VE",
        CallEnd.PageFault => "#PF",
        CallEnd.AccessDone => "access done",
        _ => "",
    };

    /// <summary>The status that TDH.VP.ENTER returns for a TD exit; null where the call ends in another way.</summary>
    public static ulong? HostStatus(this CallEnd end) => end switch
    {
        CallEnd.EptViolation or CallEnd.EmulatedEptViolation => (ulong)ExitReason.EptViolation,
        CallEnd.InterruptExit => (ulong)ExitReason.ExternalInterrupt,
        CallEnd.Vmcall => (ulong)ExitReason.Tdcall,
        CallEnd.NonAccessible => Status.TDX_NON_RECOVERABLE_TD_NON_ACCESSIBLE,
        _ => null,
    };

    /// <summary>The status of a failure with its operand or details, by name and in hexadecimal.</summary>
    public static (string Name, string Value) StatusOf(Failure failure)
    {
        string bare = new StatusCode(failure.Status).Info?.Name ?? "";
        return failure.Detail switch
        {
            FailureDetail.LevelInStatus => ($"{bare}(level of the entry)", $"0x{failure.Status:X16} + level"),
            FailureDetail.X2ApicIdInStatus => ($"{bare}(x2APIC id)", $"0x{failure.Status:X16} + id"),
            _ => (new StatusCode(failure.Status).Name, $"0x{failure.Status:X16}"),
        };
    }

    /// <summary>The output registers when a step fails: what the failure sets, or else what steps before it set.</summary>
    public static string RegistersAt<S>(Leaf<S> leaf, int step)
        where S : struct, IState => leaf.Steps[step].Failure.Detail switch
        {
            FailureDetail.SeptEntry => "RCX = S-EPT entry, RDX = level and state",
            FailureDetail.InputsRestored => "RCX, RDX as at the call",
            FailureDetail.CpuidLeaf => "RCX = CPUID leaf, sub-leaf << 32",
            FailureDetail.EmulatedEptViolation => "RCX = qualification, R8 = GPA, RBP kept, others 0",
            _ => RegistersBefore(leaf, step),
        };

    // The last writer of each register; presets are told register by register, other effects by their own text.
    private static string RegistersBefore<S>(Leaf<S> leaf, int step)
        where S : struct, IState
    {
        var writers = new SortedDictionary<Register, Step<S>>();
        foreach (Step<S> effect in leaf.Steps.Take(step))
        {
            foreach (Register register in effect.Writes)
                writers[register] = effect;
        }

        return string.Join("; ", writers.GroupBy(entry => entry.Value).Select(group => Text(group.Key, [.. group.Select(entry => entry.Key)])));
    }

    private static string Text<S>(Step<S> effect, Register[] registers)
        where S : struct, IState =>
        effect.IsPreset ? $"{string.Join(", ", registers.Select(register => register.ToString().ToUpperInvariant()))} = 0" : effect.Text;
}
