using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;

namespace TdxVerify.Properties.Histories;

/// <summary>How a call in flight is recorded to end, and so which of its steps can still decide it.</summary>
/// <param name="Event">The event of its end.</param>
/// <param name="Result">The event that shows what became of what the guest was told; -1: none.</param>
/// <param name="Output">Its registers at the end.</param>
/// <param name="LastStep">The last step of its leaf, counted from 0, that gives this status; -1: none, it succeeds.</param>
internal readonly record struct RecordedEnd(int Event, int Result, RegisterFile Output, int LastStep)
{
    /// <summary>Nothing is known of how it ends.</summary>
    public static RecordedEnd Unknown => new(-1, -1, default, -1);

    public static RecordedEnd Of(in RegisterFile output, int end, int result, Leaf<BranchingState>? leaf)
    {
        int last = -1;
        for (int step = 0; leaf is not null && output.Rax != Status.TDX_SUCCESS && step < leaf.Steps.Length; step++)
        {
            if (leaf.Steps[step].Test is not null && Gives(leaf.Steps[step].Failure, output.Rax))
                last = step;
        }

        return new RecordedEnd(end, result, output, last);
    }

    // An EPT violation can be emulated by the entry, or be one of the guest.
    private bool MayEnter => LastStep < 0 || Output.Rax == (ulong)ExitReason.EptViolation;

    /// <summary>The call can still end so.</summary>
    public bool IsPossible(in Agent agent, Leaf<BranchingState> list) => agent.Phase switch
    {
        AgentPhase.Halted or AgentPhase.NotModelled => false,
        _ when Event < 0 => true,
        AgentPhase.Ended or AgentPhase.Exit => agent.Answer == Output,
        AgentPhase.HostLeaf when agent.Call.FailedStep != 0 => Gives(list.Steps[agent.Call.FailedStep - 1].Failure, Output.Rax),
        AgentPhase.HostLeaf => MayEnter || agent.Step <= LastStep,
        >= AgentPhase.InGuest => MayEnter,
        _ => true,
    };

    /// <summary>What the guest was told can still become this.</summary>
    public static bool IsPossible(in GuestProgram program, in TraceEvent result) => program.IsPending || IsAsRecorded(program, result);

    /// <summary>This is what became of what the guest was told.</summary>
    public static bool IsAsRecorded(in GuestProgram program, in TraceEvent result) =>
        program.Result.Completed == result.Completed && program.Result.VirtualizationException == result.VirtualizationException
        && (!result.HasOutput || program.Result.Registers == result.Output);

    /// <summary>A failure gives this status.</summary>
    public static bool Gives(in Failure failure, ulong rax) => failure.Detail is FailureDetail.LevelInStatus or FailureDetail.X2ApicIdInStatus
        ? failure.Status == new StatusCode(rax).Base.Value
        : failure.Status == rax;
}
