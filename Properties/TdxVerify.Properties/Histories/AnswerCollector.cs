using System.Numerics;
using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Traces;

namespace TdxVerify.Properties.Histories;

/// <summary>Gathers what a search finds possible in the place of one event.</summary>
internal sealed class AnswerCollector(Configuration configuration, History history, int unexplained)
{
    private readonly Dictionary<(RegisterFile Answer, DecidingStep? Deciding, int HeldBy), Found> _found = [];
    private readonly HashSet<UInt128> _states = [];

    /// <summary>What was found, the most frequent first.</summary>
    public IReadOnlyList<HistoryCandidate> Candidates =>
        [.. _found.Values.OrderByDescending(found => found.States).Select(found => found.Candidate with { States = found.States })];

    /// <summary>An event is about to be passed; true: it is the one.</summary>
    public bool Add(int e)
    {
        if (e != unexplained)
            return false;
        if (history[e].Kind == TraceEventKind.GuestResult)
            AddResult(e);
        else if (configuration.HasEnded(history[e].Lp))
            AddAnswer(e);
        else
            return false;
        return true;
    }

    private void AddAnswer(int e)
    {
        int lp = history[e].Lp;
        ref readonly Agent agent = ref configuration.Agent(lp);
        DecidingStep? deciding = agent.Answer.Rax != Status.TDX_SUCCESS && agent.Call.FailedStep != 0 ? DecidingStep.Of(configuration.List(lp), agent.Call.FailedStep) : null;
        Add(e, agent.Answer, deciding, configuration.RefusedLockHeldBy(lp), AnswerText.Seamcall(history[e].Input, agent.Answer));
    }

    private void AddResult(int e)
    {
        if (!configuration.TryFindVcpu(history[e].Hpa, out int vcpu))
            return;
        ref readonly GuestProgram program = ref configuration.Program(vcpu);
        string answer = program.TdcallReturned ? $"completed: {AnswerText.Tdcall(history[e].Input, program.Result.Registers)}"
            : program.Result.Completed ? "completed"
            : program.Result.VirtualizationException ? "#VE"
            : "not completed";
        Add(e, program.TdcallReturned ? program.Result.Registers : history[e].Output, null, 0, answer);
    }

    private void Add(int e, in RegisterFile answer, DecidingStep? deciding, int heldBy, string text)
    {
        bool isNewState = _states.Add(configuration.Hash());
        if (!_found.TryGetValue((answer, deciding, heldBy), out Found? found))
        {
            found = new Found(new HistoryCandidate
            {
                Answer = text,
                States = 0,
                Deciding = deciding,
                HeldBy = [.. Calls(heldBy)],
                Registers = Differing(history[e].Output, answer),
                Others = [.. Others(history[e].Lp)],
            });
            _found.Add((answer, deciding, heldBy), found);
            isNewState = true;
        }

        found.States += isNewState ? 1 : 0;
    }

    private static List<ComparedRegister> Differing(in RegisterFile recorded, in RegisterFile possible)
    {
        var differing = new List<ComparedRegister>();
        foreach (Register register in RegisterFile.All)
        {
            if (recorded[register] != possible[register])
                differing.Add(new ComparedRegister(register, recorded[register], possible[register]));
        }

        return differing;
    }

    private IEnumerable<string> Calls(int lps)
    {
        for (int rest = lps; rest != 0; rest &= rest - 1)
        {
            ref readonly TraceEvent begin = ref history[configuration.Call(BitOperations.TrailingZeroCount(rest))];
            yield return CallText.Seamcall(begin.Lp, begin.Input);
        }
    }

    private IEnumerable<string> Others(int but)
    {
        for (int lp = 0; lp < configuration.LpCount; lp++)
        {
            if (lp != but && configuration.IsInFlight(lp))
                yield return $"LP {lp} {How(lp)}";
        }
    }

    private string How(int lp)
    {
        ref readonly Agent agent = ref configuration.Agent(lp);
        if (!agent.IsBusy)
            return $"has ended with {new StatusCode(agent.Answer.Rax)}";
        Leaf<BranchingState> list = configuration.List(lp);
        return agent.Phase == AgentPhase.InGuest ? "is in the guest"
            : agent.Step < list.Steps.Length ? $"is before step {agent.Step + 1} of {list.Id.Name}: {list.Steps[agent.Step].Text}"
            : $"is past the steps of {list.Id.Name}";
    }

    private sealed class Found(HistoryCandidate candidate)
    {
        public HistoryCandidate Candidate => candidate;

        public int States { get; set; }
    }
}
