using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Laws.Calls;

namespace TdxVerify.Properties.Laws;

/// <summary>
/// The output registers are what the state before the call says: S-EPT entry details of successes and failures, pages
/// handed back, metadata, TD exit information; every register that the leaf does not name keeps its input, or is 0
/// after a TD exit.
/// </summary>
public sealed class OutputsTellTheStateLaw : CallLaw
{
    internal OutputsTellTheStateLaw(CallJudge judge)
        : base(
            judge, "outputs-tell-the-state", "Every output register is what the state before the call says.",
            "SEAMCALL that succeeded", "S-EPT entry details of a failure", "page metadata of a failure", "inputs restored",
            "EPT-violation TD exit", "emulated EPT violation", "TDCALL that returned", "TDG.VP.VMCALL")
    {
    }

    private protected override string? Check(CallVerdict call, Observation o, bool isGuest) =>
        isGuest || !o.ReturnedToHost || !call.IsAsExpected ? null : Host(call, o);

    /// <inheritdoc/>
    protected override string? Check(Observation o) => base.Check(o) ?? (o.GuestRan ? Exit(o) : null);

    private string? Host(CallVerdict call, Observation o)
    {
        if (call.Succeeded)
            Occurred(0);
        else if (call.End == CallEnd.EmulatedEptViolation)
            Occurred(5);
        else if (call.Expected!.Shows is Shown.Entry or Shown.Page or Shown.Inputs)
            Occurred(call.Expected.Shows switch { Shown.Entry => 1, Shown.Page => 2, _ => 3 });
        RegisterFile expected = Outputs.OfHost(call, o.Leaf);
        return expected == o.Output ? null : Difference($"{call.Rules!.Name} {EndOf(call)}", expected, o.Output);
    }

    private string? Exit(Observation o)
    {
        CallVerdict guest = Judge.Guest;
        GuestOutcome outcome = o.Guest;
        if (outcome.Vcpu != Judge.Vcpu || (outcome.Kind != GuestOperationKind.Idle && !(guest.IsJudged && guest.IsAsExpected)))
            return null;
        CallVerdict? operation = outcome.Kind == GuestOperationKind.Idle ? null : guest;
        if (outcome.End == CallEnd.EptViolation)
            Occurred(4);
        RegisterFile expected = Outputs.OfExit(operation, outcome);
        if (expected != o.Output)
            return Difference("the TD exit", expected, o.Output);
        if (operation is null || outcome.Kind != GuestOperationKind.Tdcall)
            return null;
        if (outcome.End == CallEnd.Vmcall)
            Occurred(7);
        return outcome.End == CallEnd.Returned ? Tdcall(o, operation) : null;
    }

    private string? Tdcall(Observation o, CallVerdict call)
    {
        ulong tdvpr = call.Facts.HpaOf((int)o.State.Vcpu(call.Facts.Vcpu, VcpuField.TdvprPage));
        if (!o.Model.Machine.GuestResult(tdvpr, out GuestResult result, out bool returned) || !returned)
            return null;
        Occurred(6);
        RegisterFile expected = Outputs.OfTdcall(call);
        return expected == result.Registers ? null : Difference($"{call.Rules!.Name} {EndOf(call)}", expected, result.Registers);
    }

    private static string Difference(string what, in RegisterFile expected, in RegisterFile actual)
    {
        foreach (Register register in RegisterFile.All)
        {
            if (expected[register] != actual[register])
                return $"{what}: {TraceEventText.Name(register)} is 0x{actual[register]:x}, the state says 0x{expected[register]:x}";
        }

        return what;
    }
}
