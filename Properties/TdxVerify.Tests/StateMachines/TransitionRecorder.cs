using TdxVerify.Abi;
using TdxVerify.Hardware.Replay;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using Xunit;
using RepositoryFiles = TdxVerify.Tests.Hardware.RepositoryFiles;

namespace TdxVerify.Tests.StateMachines;

/// <summary>A transition seen in a recording; <c>null</c> for the state before an object was there and after it was gone.</summary>
public readonly record struct SeenTransition(string Machine, string? From, Trigger Trigger, string? To);

/// <summary>
/// Replays the recordings on the model and collects every change of an S-EPT entry, a TD, a key id and a vCPU. It
/// looks at the journal of writes and at which lists of steps were carried out, not at the machines.
/// </summary>
public sealed class TransitionRecorder
{
    private const int EntriesPerTable = 512;

    private readonly Dictionary<int, long[]> _counts = [];
    private readonly List<(Leaf<ObservedState> Leaf, int Step)> _carriedOut = [];
    private ModelPort<ObservedState> _port = null!;
    private string _where = "";

    /// <summary>Replays everything.</summary>
    public TransitionRecorder()
    {
        foreach (string path in RepositoryFiles.Recordings.Where(path => !Path.GetFileName(path).StartsWith("concurrent-", StringComparison.Ordinal)))
            Replay(path);
    }

    /// <summary>Every transition that was seen.</summary>
    public HashSet<SeenTransition> Seen { get; } = [];

    /// <summary>S-EPT transitions with what their guards may look at.</summary>
    public HashSet<(SeenTransition Transition, GuardContext Context)> SeenEntries { get; } = [];

    /// <summary>Changes of state that no list of steps carried out explains, with where they were seen.</summary>
    public List<string> Unexplained { get; } = [];

    private ref ObservedState State => ref _port.Machine.State;

    private void Replay(string path)
    {
        TraceFile trace = TraceFile.Load(path);
        _port = ModelPorts.Observed(trace.Header.Platform);
        _counts.Clear();
        foreach (Leaf<ObservedState> leaf in _port.Machine.Leaves.All)
            _counts[leaf.Index] = [.. _port.Machine.Coverage(leaf)];
        var replayer = new PortReplayer(_port);
        foreach (TraceSequence sequence in trace.Sequences)
        {
            foreach (ref readonly TraceEvent e in sequence.Events.AsSpan())
            {
                State.Journal.Clear();
                Assert.Null(replayer.Step(in e));
                _where = $"{Path.GetFileName(path)}:{e.Line}";
                CollectCarriedOut();
                LookAtEntries();
                LookAtTd();
                LookAtKeys();
                LookAtVcpu();
            }
        }
    }

    // Which lists of steps this event carried out to an end that changes something, or leaves it on purpose.
    private void CollectCarriedOut()
    {
        _carriedOut.Clear();
        foreach (Leaf<ObservedState> leaf in _port.Machine.Leaves.All)
        {
            IReadOnlyList<long> now = _port.Machine.Coverage(leaf);
            long[] before = _counts[leaf.Index];
            for (int step = 0; step < before.Length; step++)
            {
                if (now[step] == before[step])
                    continue;
                before[step] = now[step];
                if (step == 0 || EndsWell(leaf.Steps[step - 1].Failure))
                    _carriedOut.Add((leaf, step));
            }
        }
    }

    private static bool EndsWell(Failure failure) => failure is
        { Status: Status.TDX_SUCCESS, End: CallEnd.Returned }
        or { End: CallEnd.InterruptExit or CallEnd.EmulatedEptViolation };

    private Trigger? CarriedOut(params ReadOnlySpan<Trigger> triggers)
    {
        foreach ((Leaf<ObservedState> leaf, int _) in _carriedOut)
        {
            if (TriggerOf(leaf) is { } trigger && triggers.Contains(trigger))
                return trigger;
        }

        return null;
    }

    private static Trigger? TriggerOf(Leaf<ObservedState> leaf) =>
        Enum.TryParse(leaf.Id.BaseName.Replace('.', '_').Replace(' ', '_'), ignoreCase: true, out Trigger trigger) ? trigger : null;

    private void LookAtEntries()
    {
        var firstStates = new Dictionary<EntryRef, SeptState>();
        HashSet<int> newTables = [];
        HashSet<int> goneTables = [];
        foreach (ref readonly Change change in State.Journal.Changes)
        {
            switch (change.Kind)
            {
                case ChangeKind.NewTable:
                    newTables.Add(change.Object);
                    break;
                case ChangeKind.FreeTable:
                    goneTables.Add(change.Object);
                    break;
                case ChangeKind.Entry:
                    firstStates.TryAdd(change.EntryAt, new SeptEntry(change.Old).State);
                    break;
                default:
                    break;
            }
        }

        See(newTables, born: true, CarriedOut(Trigger.TDH_MNG_ADDCX, Trigger.TDH_MEM_SEPT_ADD, Trigger.TDH_MEM_PAGE_DEMOTE));
        See(goneTables, born: false, CarriedOut(Trigger.TDH_MEM_SEPT_REMOVE, Trigger.TDH_MEM_PAGE_PROMOTE, Trigger.TDH_PHYMEM_PAGE_RECLAIM));

        ref readonly Call call = ref _port.Machine.LastCall;
        EntryRef worked = call.Entry;
        Trigger? by = CarriedOut(
            Trigger.TDH_MEM_SEPT_ADD, Trigger.TDH_MEM_SEPT_REMOVE, Trigger.TDH_MEM_PAGE_ADD, Trigger.TDH_MEM_PAGE_AUG, Trigger.TDH_MEM_PAGE_REMOVE,
            Trigger.TDH_MEM_PAGE_RELOCATE, Trigger.TDH_MEM_PAGE_PROMOTE, Trigger.TDH_MEM_PAGE_DEMOTE, Trigger.TDH_MEM_RANGE_BLOCK,
            Trigger.TDH_MEM_RANGE_UNBLOCK, Trigger.TDH_MR_EXTEND, Trigger.TDG_MEM_PAGE_ACCEPT, Trigger.TDG_MEM_PAGE_ATTR_RD, Trigger.TDG_MEM_PAGE_ATTR_WR);
        if (by is { } trigger)
        {
            SeptState to = State.Entry(worked).State;
            SeptState from = firstStates.GetValueOrDefault(worked, to);
            SeptState children = SeptStates.NonLeaf.Contains(from) && trigger != Trigger.TDH_MEM_SEPT_ADD ? ChildOf(firstStates, call) : SeptState.FREE;
            var context = new GuardContext(call.Level, (OpState)State.Td(call.Td, TdField.OpState), children);
            SeenTransition seen = Add(SeptMachine.Declared.Name, $"{from}", trigger, $"{to}");
            SeenEntries.Add((seen, context));
        }

        foreach ((EntryRef at, SeptState before) in firstStates)
        {
            bool explained = newTables.Contains(at.Table) || goneTables.Contains(at.Table) || (by is not null && at == worked);
            if (!explained && State.Entry(at).State != before)
                Unexplained.Add($"{_where}: entry {at} changed from {before} to {State.Entry(at).State}");
        }
    }

    // The S-EPT page below is known by what the entry pointed to when the leaf read it.
    private SeptState ChildOf(Dictionary<EntryRef, SeptState> firstStates, in Call call)
    {
        var first = new EntryRef(call.Value.Target, 0);
        return firstStates.GetValueOrDefault(first, State.Entry(first).State);
    }

    private void See(HashSet<int> tables, bool born, Trigger? by)
    {
        foreach (int table in tables)
        {
            Trigger? trigger = by switch
            {
                Trigger.TDH_MNG_ADDCX => Trigger.TDH_MNG_ADDCX_ABOVE,
                Trigger.TDH_MEM_SEPT_ADD => Trigger.TDH_MEM_SEPT_ADD_ABOVE,
                Trigger.TDH_MEM_PAGE_DEMOTE => Trigger.TDH_MEM_PAGE_DEMOTE_ABOVE,
                Trigger.TDH_MEM_SEPT_REMOVE => Trigger.TDH_MEM_SEPT_REMOVE_ABOVE,
                Trigger.TDH_MEM_PAGE_PROMOTE => Trigger.TDH_MEM_PAGE_PROMOTE_ABOVE,
                _ => by,
            };
            if (trigger is null)
            {
                Unexplained.Add($"{_where}: S-EPT table {table} {(born ? "came" : "went")}");
                continue;
            }

            for (int index = 0; index < EntriesPerTable; index++)
            {
                string state = $"{State.Entry(new EntryRef(table, index)).State}";
                Add(SeptMachine.Declared.Name, born ? null : state, trigger.Value, born ? state : null);
            }
        }
    }

    private void LookAtTd()
    {
        bool gone = false;
        foreach (ref readonly Change change in State.Journal.Changes)
        {
            if (change.Kind == ChangeKind.NewTd)
                Add(TdMachine.Lifecycle.Name, null, Trigger.TDH_MNG_CREATE, $"{(TdLifecycle)State.Td(change.Object, TdField.Lifecycle)}");
            if (change.Kind == ChangeKind.FreeTd)
            {
                gone = true;
                Add(TdMachine.Lifecycle.Name, $"{(TdLifecycle)State.Td(change.Object, TdField.Lifecycle)}", Trigger.TDH_PHYMEM_PAGE_RECLAIM, null);
            }

            if (change.Kind != ChangeKind.Td || change.Old == change.New)
                continue;
            if ((TdField)change.Position == TdField.Lifecycle)
            {
                Explain(
                    TdMachine.Lifecycle.Name, (TdLifecycle)change.Old, (TdLifecycle)change.New,
                    CarriedOut(Trigger.TDH_MNG_KEY_CONFIG, Trigger.TDH_MNG_VPFLUSHDONE, Trigger.TDH_MNG_KEY_FREEID));
            }
            else if ((TdField)change.Position == TdField.OpState)
            {
                Explain(TdMachine.OpStates.Name, (OpState)change.Old, (OpState)change.New, CarriedOut(Trigger.TDH_MNG_INIT, Trigger.TDH_MR_FINALIZE));
            }
        }

        ref readonly Call call = ref _port.Machine.LastCall;
        Trigger? stays = CarriedOut(Trigger.TDH_MNG_ADDCX, Trigger.TDH_VP_FLUSH, Trigger.TDH_PHYMEM_PAGE_RECLAIM);
        if (stays is { } trigger && !gone)
        {
            string lifecycle = $"{(TdLifecycle)State.Td(call.Td, TdField.Lifecycle)}";
            Add(TdMachine.Lifecycle.Name, lifecycle, trigger, lifecycle);
        }

        LookAtOpState(call.Td);
    }

    private void LookAtOpState(int td)
    {
        foreach ((Leaf<ObservedState> leaf, int _) in _carriedOut)
        {
            bool checks = leaf.Steps.Any(step => step.Failure.Status == Status.TDX_OP_STATE_INCORRECT);
            if (!checks || TriggerOf(leaf) is not { } trigger || trigger is Trigger.TDH_MNG_INIT or Trigger.TDH_MR_FINALIZE)
                continue;
            string state = $"{(OpState)State.Td(td, TdField.OpState)}";
            bool isFirstPage = trigger == Trigger.TDH_MNG_ADDCX && State.Td(td, TdField.TdcsPages) == 1;
            Add(TdMachine.OpStates.Name, isFirstPage ? null : state, trigger, state);
        }
    }

    private void LookAtKeys()
    {
        foreach (ref readonly Change change in State.Journal.Changes)
        {
            if (change.Kind == ChangeKind.Key && (KeyField)change.Position == KeyField.State && change.Old != change.New)
            {
                Explain(
                    TdMachine.Key.Name, (HkidState)change.Old, (HkidState)change.New,
                    CarriedOut(Trigger.TDH_MNG_CREATE, Trigger.TDH_MNG_VPFLUSHDONE, Trigger.TDH_MNG_KEY_FREEID));
            }
            else if (change.Kind == ChangeKind.Key && (KeyField)change.Position == KeyField.WritebackBitmap && change.Old != 0 && change.New == 0
                && CarriedOut(Trigger.TDH_PHYMEM_CACHE_WB) is { } trigger)
            {
                string state = $"{(HkidState)State.Key(change.Object, KeyField.State)}";
                Add(TdMachine.Key.Name, state, trigger, state);
            }
        }
    }

    private void LookAtVcpu()
    {
        string machine = VcpuMachine.Declared.Name;
        foreach (ref readonly Change change in State.Journal.Changes)
        {
            if (change.Kind == ChangeKind.NewVcpu)
                Add(machine, null, Trigger.TDH_VP_CREATE, $"{(VcpuState)State.Vcpu(change.Object, VcpuField.State)}");
            if (change.Kind == ChangeKind.FreeVcpu)
                Add(machine, $"{(VcpuState)State.Vcpu(change.Object, VcpuField.State)}", Trigger.TDH_PHYMEM_PAGE_RECLAIM, null);
            if (change.Kind == ChangeKind.Vcpu && (VcpuField)change.Position == VcpuField.State && change.Old != change.New)
            {
                var to = (VcpuState)change.New;
                Explain(machine, (VcpuState)change.Old, to, to == VcpuState.VCPU_ACTIVE ? CarriedOut(Trigger.TDH_VP_ENTER) : CarriedOut(Trigger.TDH_VP_INIT, Trigger.TD_EXIT));
            }
        }

        ref readonly Call call = ref _port.Machine.LastCall;
        bool emulated = _carriedOut.Exists(list => TriggerOf(list.Leaf) == Trigger.TDH_VP_ENTER && list.Step > 0);
        Trigger? stays = emulated ? Trigger.TDH_VP_ENTER : CarriedOut(Trigger.TDH_VP_ADDCX, Trigger.TDH_VP_RD, Trigger.TDH_VP_FLUSH);
        if (stays is { } trigger)
        {
            string state = $"{(VcpuState)State.Vcpu(call.Vcpu, VcpuField.State)}";
            Add(machine, state, trigger, state);
        }
    }

    private void Explain<TState>(string machine, TState from, TState to, Trigger? by)
        where TState : struct, Enum
    {
        if (by is { } trigger)
            Add(machine, $"{from}", trigger, $"{to}");
        else
            Unexplained.Add($"{_where}: {machine} changed from {from} to {to}");
    }

    private SeenTransition Add(string machine, string? from, Trigger trigger, string? to)
    {
        var seen = new SeenTransition(machine, from, trigger, to);
        Seen.Add(seen);
        return seen;
    }
}
