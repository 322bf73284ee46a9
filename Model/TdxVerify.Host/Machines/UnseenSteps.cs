using System.Reflection;
using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Host;

/// <summary>
/// Accesses of the module that nobody in a configuration can notice, and that notice nobody: they join the step before
/// them. These are attempts at locks that every call of the configuration takes shared, and their releases; and, where no
/// call changes the tables of the S-EPT, a walk's reads above the last level.
/// </summary>
/// <remarks>
/// Why this changes no outcome: the word of such a lock only counts readers, and nobody looks at the count; such an entry
/// never changes. Each of these accesses commutes with every step of every other agent, so an order in which something
/// stands between it and its neighbour leads to the same states as one in which nothing does.
/// </remarks>
internal sealed class UnseenSteps
{
    private const int PamtSizes = 3;

    // A walk that is still to begin (Model, SeptSteps).
    private const int AboveRoot = -1;

    private readonly HashSet<LockId> _locks = [];
    private readonly HashSet<(int List, int Step)> _walks = [];
    private readonly LeafSet<CellState> _leaves;

    public UnseenSteps(Configuration configuration, LeafSet<CellState> leaves, IEnumerable<SeamcallAction> calls)
    {
        _leaves = leaves;
        SeamcallAction[] all = [.. calls];
        Leaf<CellState>[] called = [.. all.Select(call => leaves.Host((ulong)call.Leaf | ((ulong)call.Version << 16))).OfType<Leaf<CellState>>(), leaves.TdExit];
        if (!UsesLargePages(configuration, all))
            _locks.UnionWith(from slot in Enum.GetValues<PageSlot>() from size in Enumerable.Range(1, PamtSizes - 1) select Call.PamtLock(slot, size));

        // These name the page of any TDR or TDVPR as one to be taken exclusively.
        bool anyPage = all.Any(call => call.Leaf is HostLeaf.TDH_PHYMEM_PAGE_RECLAIM or HostLeaf.TDH_MNG_CREATE or HostLeaf.TDH_VP_CREATE);
        foreach (LockId id in new[] { Call.PamtLock(PageSlot.Tdr, 0), Call.PamtLock(PageSlot.Tdvpr, 0), LockId.OpState })
        {
            if ((!anyPage || id == LockId.OpState) && called.SelectMany(leaf => leaf.Steps).All(step => IsShared(step, id)))
                _locks.Add(id);
        }

        if (KeepsTables(configuration, all))
            AddWalks();
    }

    /// <summary>The agent's next access is one of them.</summary>
    public bool IsNext(in Agent agent)
    {
        if (!agent.CanStep || agent.Phase == AgentPhase.InGuest || agent.Call.Aftermath != Aftermath.None)
            return false;
        if (_walks.Contains((agent.List, agent.Step)))
            return agent.Call.Progress == 0 || agent.Call.Level == AboveRoot || agent.Call.Level > SeptLevel.Page2M;
        return _leaves.All[agent.List].Steps[agent.Step] is { Kind: StepKind.Lock or StepKind.Release, Lock: { } use } && _locks.Contains(use.Id);
    }

    private static bool UsesLargePages(Configuration configuration, IEnumerable<SeamcallAction> calls) =>
        configuration.Td.Gpas.Any(gpa => gpa.Level > SeptLevel.Page4K)
        || calls.Any(call => call.Leaf is HostLeaf.TDH_MEM_PAGE_PROMOTE or HostLeaf.TDH_MEM_PAGE_DEMOTE
            || (call.Leaf == HostLeaf.TDH_MEM_PAGE_AUG && call.Level > SeptLevel.Page4K));

    // Every walk then reaches the last level, by entries that are the same for ever.
    private static bool KeepsTables(Configuration configuration, IEnumerable<SeamcallAction> calls) =>
        configuration.Td.Gpas.All(gpa => gpa is { Level: SeptLevel.Page4K, HasTable: true })
        && Enumerable.Range(0, configuration.Td.Vcpus).SelectMany(vcpu => configuration.GuestOf(vcpu).Instructions).All(each => each.Op.Level == SeptLevel.Page4K)
        && calls.All(call => call.Level == SeptLevel.Page4K && call.Leaf is not (
            HostLeaf.TDH_MEM_SEPT_ADD or HostLeaf.TDH_MEM_SEPT_REMOVE or HostLeaf.TDH_MEM_PAGE_PROMOTE or HostLeaf.TDH_MEM_PAGE_DEMOTE));

    private static bool IsShared(Step<CellState> step, LockId id) => step.Kind != StepKind.Lock || step.Lock is not { } use || use.Id != id || use.Mode == LockMode.Shared;

    // Besides walks only promotion and demotion have steps of several accesses.
    private void AddWalks()
    {
        foreach (Leaf<CellState> leaf in _leaves.All)
        {
            for (int i = 0; i < leaf.Steps.Length; i++)
            {
                if (((Delegate?)leaf.Steps[i].Test ?? leaf.Steps[i].Action!).Method.GetCustomAttribute<VisibleAttribute>()?.Part is not null)
                    _walks.Add((leaf.Index, i));
            }
        }
    }
}
