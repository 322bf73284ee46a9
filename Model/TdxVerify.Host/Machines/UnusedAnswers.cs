using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Host;

/// <summary>
/// Clears an answer that is on its way to a program, or to a guest, that does not look at it: which error it is, or why
/// the guest left.
/// </summary>
/// <remarks>
/// Why this changes no outcome: what a call still does after it was refused or after its guest left, dropping locks and a
/// reference count, depends on what it holds and not on its answer. What the refusal reports was reported before.
/// </remarks>
internal static class UnusedAnswers
{
    /// <summary>In place of an error: no status of the module, but an error.</summary>
    public const ulong Forgotten = 0xFFFF_FFFF_0000_0000;

    /// <summary>What a host call has read of an entry's lock: it overwrites it by what it knows.</summary>
    public static void ForgetLockBits(ref Agent agent)
    {
        if (agent.Phase == AgentPhase.HostLeaf)
            agent.Call.Value = agent.Call.Value.WithoutLockBits;
    }

    /// <summary>What is looked at of the answer of a state's SEAMCALL.</summary>
    public static LooksAt LookedAt(ProgramState state)
    {
        When[] tests = [.. state.Transitions.Select(transition => transition.When).Where(test => !ReferenceEquals(test, When.Anything))];
        if (state.Transitions.Any(transition => transition.TakesGpa))
            return LooksAt.Everything;
        if (tests.Length == 0)
            return LooksAt.Nothing;
        if (tests.All(test => ReferenceEquals(test, When.Success)))
            return LooksAt.Success;
        return tests.All(test => ReferenceEquals(test, When.EptViolation)) ? LooksAt.ExitReason : LooksAt.Everything;
    }

    /// <summary>Clears what is not looked at.</summary>
    /// <param name="agent">The call.</param>
    /// <param name="looksAt">What the program does with its answer.</param>
    /// <param name="guestLooks">The guest looks at the answer of its TDCALL.</param>
    /// <returns>Something was cleared.</returns>
    public static bool Forget(ref Agent agent, LooksAt looksAt, bool guestLooks)
    {
        ref Call call = ref agent.Call;
        switch (agent.Phase)
        {
            case AgentPhase.HostDispatch or AgentPhase.HostLeaf when call.FailedStep != 0 && call.End == CallEnd.Returned && looksAt != LooksAt.Everything:
            case AgentPhase.HostLeaf when call.FailedStep != 0 && call.End == CallEnd.EmulatedEptViolation && looksAt == LooksAt.Nothing:
            case AgentPhase.GuestDispatch or AgentPhase.GuestLeaf when call.FailedStep != 0 && call.End == CallEnd.Returned && !guestLooks:
                call.End = CallEnd.Returned;
                call.Status = Forgotten;
                break;
            case AgentPhase.Exit when looksAt is LooksAt.Nothing or LooksAt.ExitReason:
                agent.Answer = new RegisterFile { Rax = looksAt == LooksAt.Nothing ? 0 : agent.Answer.Rax };
                call.Status = 0;
                call.In = default;
                break;
            default:
                return false;
        }

        call.Out = default;
        call.Detail = FailureDetail.None;
        return true;
    }
}

/// <summary>What a program looks at of the answer of a SEAMCALL.</summary>
internal enum LooksAt
{
    /// <summary>At the status, or at registers.</summary>
    Everything,

    /// <summary>Whether it is TDX_SUCCESS.</summary>
    Success,

    /// <summary>Whether it is a TD exit by an EPT violation.</summary>
    ExitReason,

    /// <summary>Not at all.</summary>
    Nothing,
}
