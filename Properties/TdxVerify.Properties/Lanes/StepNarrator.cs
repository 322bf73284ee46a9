using TdxVerify.Model;

namespace TdxVerify.Properties.Lanes;

/// <summary>
/// Tells what an agent did from one switch of processors to the next as one event of its lane: how far it came, what it
/// holds, how its call ended and which step decided that. To be set as the observer of an <see cref="AgentMachine{S}"/>.
/// </summary>
/// <typeparam name="S">The layout of the state.</typeparam>
public sealed class StepNarrator<S>
    where S : struct, IState
{
    private int _accesses;
    private string _last = "";
    private string _decided = "";

    /// <summary>Takes note of a step.</summary>
    public void Observe(Leaf<S> list, int step, bool visible, in Call call)
    {
        if (visible)
        {
            _accesses++;
            _last = Describe(list, step);
        }

        if (call.FailedStep == step + 1 && (list.Steps[step].Failure.Status != 0 || list.Steps[step].Failure.End == CallEnd.ModuleHalt))
            _decided = $"{(list.Steps[step].Kind == StepKind.Lock ? "refused at" : "decided by")} {Describe(list, step)}";
    }

    /// <summary>What was noted since the last event.</summary>
    /// <param name="lane">The lane of the agent.</param>
    /// <param name="agent">The agent.</param>
    /// <param name="answer">How its call ended, in words; taken only if it did.</param>
    /// <param name="begins">The call begins with this event.</param>
    public LaneEvent Finish(int lane, in Agent agent, Func<string> answer, bool begins)
    {
        LaneEvent e = agent.Phase switch
        {
            AgentPhase.Halted => new LaneEvent(lane, "the module halts", _decided, LaneTone.Bad),
            AgentPhase.Ended => Ended(lane, answer()),
            _ => new LaneEvent(lane, $"{(begins ? "begins, " : "")}up to {_last}", Together(Accesses, HeldLocks.Of(agent.Call))),
        };
        (_accesses, _last, _decided) = (0, "", "");
        return e;
    }

    private string Accesses => _accesses == 1 ? "1 access" : $"{_accesses} accesses";

    private LaneEvent Ended(int lane, string answer) => answer.Contains("TDX_OPERAND_BUSY", StringComparison.Ordinal)
        ? new LaneEvent(lane, $"= {answer}", _decided, LaneTone.Refused)
        : new LaneEvent(lane, $"= {answer}", _decided.Length > 0 ? _decided : Accesses, answer.Contains("TDX_SUCCESS", StringComparison.Ordinal) ? LaneTone.Good : LaneTone.Plain);

    private static string Describe(Leaf<S> list, int step) => $"{list.Id.Name} step {step + 1}: {list.Steps[step].Text}";

    private static string Together(string accesses, string holds) => holds.Length == 0 ? accesses : $"{accesses}; holds {holds}";
}
