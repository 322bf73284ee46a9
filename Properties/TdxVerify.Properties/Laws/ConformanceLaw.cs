using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;

namespace TdxVerify.Properties.Laws;

/// <summary>
/// Conformance: the port under test gives the model's answer in every register, guest result and lock. The runner fills
/// in the answers; this law compares registers and counts its cases.
/// </summary>
public sealed class ConformanceLaw : Law
{
    /// <summary>The law.</summary>
    public ConformanceLaw()
        : base(
            LawBook.Conformance, "The port under test answers as the model does, in all registers.",
            "success", "error", "OPERAND_BUSY", "TD exit by EPT violation", "emulated EPT violation", "TDCALL that returned to the guest")
    {
    }

    /// <inheritdoc/>
    protected override string? Check(Observation o)
    {
        if (o.Kind is not (TraceEventKind.Seamcall or TraceEventKind.Enter or TraceEventKind.Exit) || o.Running)
            return null;
        StatusCode status = o.Status;
        Occurred(status.IsError ? 1 : 0);
        if (status.Base.Value == Abi.Status.TDX_OPERAND_BUSY)
            Occurred(2);
        if (status.Value == 48)
            Occurred(o.GuestRan ? 3 : 4);
        if (o.GuestRan && o.Guest.Kind == GuestOperationKind.Tdcall && o.Guest.End == Model.CallEnd.Returned)
            Occurred(5);
        if (o.Answer == o.Output)
            return null;
        foreach (Register register in RegisterFile.All)
        {
            if (o.Answer[register] != o.Output[register])
                return $"{TraceEventText.Name(register)} is {Text(register, o.Answer[register])}, the model says {Text(register, o.Output[register])}";
        }

        return null;
    }

    internal static string Text(Register register, ulong value) =>
        register == Register.Rax ? $"{new StatusCode(value)} (0x{value:x})" : $"0x{value:x}";
}
