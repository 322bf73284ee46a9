using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Properties.Traces;

/// <summary>The declared step that decided how a call ended.</summary>
/// <param name="Leaf">The leaf, or what the processor does by itself, such as <c>guest memory access</c>.</param>
/// <param name="Step">The step, from 1; 0: every check held.</param>
/// <param name="Text">The rule; empty where every check held.</param>
/// <param name="Outcome">The status or other end that the step gives.</param>
public sealed record DecidingStep(string Leaf, int Step, string Text, string Outcome)
{
    /// <summary>The step of a declared leaf.</summary>
    internal static DecidingStep Of<S>(Leaf<S> leaf, int step)
        where S : struct, IState
    {
        if (step == 0)
            return new DecidingStep(leaf.Id.Name, 0, "", "");
        Step<S> decided = leaf.Steps[step - 1];
        Failure failure = decided.Failure;
        string outcome = failure.End switch
        {
            CallEnd.Returned => new StatusCode(failure.Status).Name,
            CallEnd.EmulatedEptViolation => "an emulated EPT violation, without entering the guest",
            CallEnd.EptViolation => "TD exit by EPT violation",
            CallEnd.InterruptExit => "TD exit by external interrupt",
            CallEnd.NonAccessible => "TD exit: the TD is not accessible",
            CallEnd.VirtualizationException => "#VE in the guest",
            CallEnd.PageFault => "#PF in the guest",
            CallEnd.AccessDone => "the access is done",
            _ => failure.End.ToString(),
        };
        return new DecidingStep(leaf.Id.Name, step, decided.DecidedAgainst, outcome);
    }

    /// <inheritdoc/>
    public override string ToString() => Step == 0 ? $"{Leaf}: every check holds" : $"{Leaf} step {Step}, {Text} -> {Outcome}";
}
