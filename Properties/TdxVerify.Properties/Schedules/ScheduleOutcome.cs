using TdxVerify.Abi;
using TdxVerify.Model;
using TdxVerify.Properties.Contention;
using TdxVerify.Properties.Runs;

namespace TdxVerify.Properties.Schedules;

/// <summary>How a call of a run ended.</summary>
/// <param name="Call">Which call.</param>
/// <param name="Began">The visible step of the run before which it began, counted from 0.</param>
/// <param name="Ended">The visible step with which it ended; -1: it did not.</param>
/// <param name="Answer">The registers that its caller sees.</param>
/// <param name="Guest">For TDH.VP.ENTER: what became of the guest's operation.</param>
public sealed record CallEnding(int Call, int Began, int Ended, RegisterFile Answer, GuestProgram Guest)
{
    /// <summary>The vCPU was told what to do: not where it was in the guest when the call began.</summary>
    public bool IsToldToGuest { get; init; }

    /// <summary>The call, or its guest's TDCALL, returned OPERAND_BUSY with this status; 0: neither did.</summary>
    public ulong BusyStatus => IsBusy(Answer.Rax) ? Answer.Rax : Guest.TdcallReturned && IsBusy(Guest.Result.Registers.Rax) ? Guest.Result.Registers.Rax : 0;

    /// <summary>How it ended, as contention.csv writes it.</summary>
    public string Text => OutcomeNames.Of(Answer.Rax, Guest.WasSubmitted, Guest.TdcallReturned ? Guest.Result.Registers.Rax : null);

    private static bool IsBusy(ulong rax) => new StatusCode(rax).Base.Value == Status.TDX_OPERAND_BUSY;
}

/// <summary>What came of carrying calls out under a schedule.</summary>
public sealed record ScheduleOutcome
{
    /// <summary>The law that was broken; null: all held.</summary>
    public required RunFailure? Failure { get; init; }

    /// <summary>The schedule that was followed, up to its end or to the step that broke the law.</summary>
    public required IReadOnlyList<ScheduleRun> Schedule { get; init; }

    /// <summary>The calls, in the order in which they began.</summary>
    public required IReadOnlyList<CallEnding> Calls { get; init; }

    /// <summary>The module halted.</summary>
    public required bool Halted { get; init; }

    /// <summary>A hash of the state and of what every caller and guest saw, after each step: equal for runs that are the same.</summary>
    public required UInt128 History { get; init; }

    /// <summary>A hash of the state at the end, lock words apart.</summary>
    public required UInt128 FinalState { get; init; }

    /// <summary>Visible steps.</summary>
    public int Steps => Schedule.Sum(run => run.Steps);

    /// <summary>How often another call went on.</summary>
    public int ContextSwitches => Math.Max(0, Schedule.Count - 1);
}
