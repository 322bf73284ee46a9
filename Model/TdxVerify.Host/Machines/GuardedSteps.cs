using System.Reflection;
using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Host;

/// <summary>
/// Accesses of the module that nobody can notice because of a lock that the call holds, or because they touch what is the
/// call's alone, or what the configuration never changes: they join the step before them.
/// </summary>
/// <remarks>
/// Why this changes no outcome: in every state that can be reached, such an access commutes with every step of every other
/// agent, so an order in which something stands between it and the step before leads to the same states as one in which
/// nothing does. Who keeps whom out: who writes TD_EPOCH holds the epoch lock exclusively, and who adds to REFCOUNT holds
/// it shared, whereas a reader without the lock looks at the count of the epoch before; a host call that locks or writes an
/// S-EPT entry holds the tree at least shared, and the entry; who looks at a BEPOCH, or writes one, holds the tree, and but
/// for TDH.MEM.RANGE.BLOCK the PAMT entry. A vCPU is one agent's. Tests make each of these accesses before and after each
/// step of the others, in all states of small configurations and along random runs of large ones.
/// </remarks>
internal sealed class GuardedSteps
{
    private static readonly HostLeaf[] s_readEpoch =
        [HostLeaf.TDH_MEM_TRACK, HostLeaf.TDH_MEM_RANGE_BLOCK, HostLeaf.TDH_MEM_RANGE_UNBLOCK, HostLeaf.TDH_MEM_PAGE_REMOVE];

    private readonly LeafSet<CellState> _leaves;
    private readonly VisibleAttribute?[][] _accesses;
    private readonly bool _guestsLock;
    private readonly bool _oneReadsEpoch;
    private readonly bool _nothingIsMapped;
    private readonly bool _pendingIsViolation;
    private readonly bool _sendsIpis;

    /// <summary>For a configuration.</summary>
    /// <exception cref="ProgramException">It makes calls that the rules do not know.</exception>
    public GuardedSteps(Configuration configuration, LeafSet<CellState> leaves)
    {
        if (!configuration.OnlyMapsAndZaps())
            throw new ProgramException($"{configuration.Name}: {nameof(Configuration.JoinsGuardedSteps)} is for calls that run vCPUs, map 4 KiB pages and zap them, in a TD that has its S-EPT pages.");
        if (configuration.Agents.Where(agent => agent.Vcpu is not null).GroupBy(agent => agent.Vcpu).Any(agents => agents.Count() > 1))
            throw new ProgramException($"{configuration.Name}: {nameof(Configuration.JoinsGuardedSteps)} is for vCPUs of one agent each.");
        _leaves = leaves;
        _accesses = [.. leaves.All.Select(leaf => leaf.Steps.Select(step => ((Delegate?)step.Test ?? step.Action!).Method.GetCustomAttribute<VisibleAttribute>()).ToArray())];
        _guestsLock = configuration.MakesTdcalls();
        _oneReadsEpoch = configuration.Agents.Count(agent => agent.Seamcalls().Any(call => s_readEpoch.Contains(call.Leaf))) <= 1;
        _nothingIsMapped = configuration.MapsNothing();
        _sendsIpis = new Observed(configuration).SendsIpis;
        _pendingIsViolation = configuration.Td.SeptVeDisable;
    }

    /// <summary>The agent's next access is one of them.</summary>
    /// <param name="agent">The agent.</param>
    /// <param name="answerIsRead">Its program looks at more of the answer than what kind it is.</param>
    public bool IsNext(in Agent agent, bool answerIsRead)
    {
        if (!agent.CanStep || agent.Phase == AgentPhase.InGuest || agent.Call.Aftermath != Aftermath.None)
            return false;
        return _accesses[agent.List][agent.Step] is { } access
            ? IsGuarded(access.Touches, agent.Call, answerIsRead)
            : IsGuarded(_leaves.All[agent.List].Steps[agent.Step], agent.Call);
    }

    private bool IsGuarded(Touched touched, in Call call, bool answerIsRead)
    {
        bool holdsTree = call.Holds(LockId.SeptTree);
        return touched switch
        {
            Touched.Association or Touched.OwnPages => true,

            // Who asks whether a processor is in the guest sends it an IPI, or wants to know whether a page is exposed.
            Touched.Residence => _nothingIsMapped && !_sendsIpis,
            Touched.Translation => _nothingIsMapped,
            Touched.Violation => _pendingIsViolation && !answerIsRead,

            Touched.Way => !answerIsRead || (!_guestsLock && call.HoldsExclusive(LockId.SeptTree)),
            Touched.Entries => holdsTree && (call.Holds(LockId.SeptEntry) || (!_guestsLock && call.HoldsExclusive(LockId.SeptTree))),
            Touched.Epoch => _oneReadsEpoch || (call.Holds(LockId.Epoch) && !call.HoldsExclusive(LockId.Epoch)),
            Touched.Bepoch => call.HoldsExclusive(LockId.SeptTree) || (holdsTree && call.HoldsExclusive(Call.PamtLock(PageSlot.Target, 0))),
            Touched.FreedPage => holdsTree && call.HoldsExclusive(Call.PamtLock(PageSlot.Mapped, 0)),
            _ => false,
        };
    }

    // A lock that is taken or dropped. One that is not held is not dropped.
    private bool IsGuarded(Step<CellState> step, in Call call)
    {
        LockId? id = step.Kind is StepKind.Lock or StepKind.Release ? step.Lock?.Id : step.Releases;
        if (id is not { } used)
            return false;
        if (step.Kind != StepKind.Lock && !call.Holds(used))
            return true;

        // When TDH.VP.ENTER drops OP_STATE it also notes that the vCPU ran here, so that the processor may translate from then on.
        return (used == LockId.OpState && (_nothingIsMapped || step.Kind != StepKind.Effect))
            || (used == LockId.SeptEntry && !_guestsLock && call.HoldsExclusive(LockId.SeptTree));
    }
}
