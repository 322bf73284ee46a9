using TdxVerify.Host;
using TdxVerify.Host.Kvm;
using TdxVerify.Properties.LockMaps;

namespace TdxVerify.Properties.UserProposals;

/// <summary>
/// What is wrong with a user's programs that are each well formed: they return what no caller knows, or do with the
/// kernel's locks what a thread of it must not. Only what is wrong on every way to a state is a reason to refuse.
/// </summary>
/// <param name="host">The host.</param>
/// <param name="file">The file with the user's programs.</param>
internal sealed class HostCheck(HostPrograms host, string file)
{
    private static readonly string[] s_codes = [.. typeof(KvmCodes).GetFields().Where(field => field.IsLiteral).Select(field => (string)field.GetRawConstantValue()!)];

    private readonly List<ProgramFault> _faults = [];

    /// <summary>The faults, each once.</summary>
    public IEnumerable<ProgramFault> Faults()
    {
        CheckCodes();
        foreach (UserEntry entry in new UserWalk(host, IsUsers).Entries())
        {
            int known = _faults.Count;
            foreach (IGrouping<(HostProgram Program, int State), Place> here in entry.Places.GroupBy(place => (place.Frame.Program, place.Frame.State)))
            {
                if (IsUsers(here.Key.Program))
                    CheckLocks(here.Key.Program, here.Key.Program.States[here.Key.State], [.. here.Select(place => place.Held)]);
            }

            // A lock that is taken twice is missing afterwards: told once.
            if (_faults.Count == known)
                CheckReturn(entry);
            foreach (HostProgram program in entry.Program.WithCalled().Where(IsUsers))
                CheckLoopsUnderMmuLock(program, entry);
        }

        return _faults.Distinct();
    }

    private bool IsUsers(HostProgram program) => program.File == file;

    private void Add(HostProgram program, ProgramState state, string text) =>
        _faults.Add(new ProgramFault(program.Name, $"state {state.Name} ({state.Action.Text}) {text}", program.File, state.Line));

    // A code that nobody knows is taken for one of those that nobody tests: a typing error would go unnoticed.
    private void CheckCodes()
    {
        HostProgram[] programs = [.. host.All.SelectMany(each => each.Program.WithCalled()).Distinct()];
        HashSet<string> tested = [.. programs.SelectMany(program => program.States).SelectMany(state => state.Transitions)
            .Where(transition => transition.When.Kinds is [ResultKind.Returned]).Select(transition => transition.When.Text)];
        foreach (HostProgram program in programs.Where(IsUsers))
        {
            foreach ((ProgramState state, ProgramTransition transition) in program.States.SelectMany(state => state.Transitions, (state, transition) => (state, transition)))
            {
                if (StateOf(program, transition).Action is ReturnAction { Code: { } code } && !s_codes.Contains(code) && !tested.Contains(code))
                {
                    _faults.Add(new ProgramFault(
                        program.Name, $"state {state.Name} leads to return {code}, for which nobody tests; KVM's codes are {string.Join(", ", s_codes)}.", program.File, transition.Line));
                }
            }
        }
    }

    private static IEnumerable<ProgramState> Next(HostProgram program, ProgramState state) => state.Transitions.Select(transition => StateOf(program, transition));

    private static ProgramState StateOf(HostProgram program, ProgramTransition transition) => program.States.First(state => state.Name == transition.To);

    // The mutexes of all vCPUs count as one, so they say nothing.
    private void CheckLocks(HostProgram program, ProgramState state, IReadOnlyList<HeldLocks> held)
    {
        bool Holds(string kernelLock) => held.All(locks => locks.Find(kernelLock) is not null);
        bool Lacks(string kernelLock) => held.All(locks => locks.Find(kernelLock) is null);
        switch (state.Action)
        {
            case DropLockAction drop when HeldLock.NameOf(drop.Lock) != KernelLocks.OwnVcpuMutex && Lacks(drop.Lock):
                Add(program, state, $"drops {drop.Lock}, which is not held there.");
                break;
            case TakeLockAction take when HeldLock.NameOf(take.Lock) != KernelLocks.OwnVcpuMutex && Holds(take.Lock):
                Add(program, state, $"takes {take.Lock}, which is held there already: it would wait for itself.");
                break;
            case SrcuUnlockAction when Lacks(HeldLock.Srcu):
                Add(program, state, "leaves an SRCU read section in which it is not.");
                break;
            default:
                break;
        }
    }

    private void CheckReturn(UserEntry entry)
    {
        Place[] ends = [.. entry.Places.Where(place => place.Frame.Caller is null && place.State.Action is ReturnAction or DoneAction)];
        if (ends.Length == 0)
            return;
        string caller = entry.Caller is { } known ? $"its caller {known.Name}" : "the next run";
        foreach (string name in ends.SelectMany(place => place.Held.All).Concat(entry.Entry.Held.All).Where(held => !held.IsGate && held.Scope != LockScope.Gpa).Select(held => held.Name).Distinct())
        {
            bool wasHeld = entry.Entry.Held.Find(name) is not null;
            if (ends.All(place => place.Held.Find(name) is null == wasHeld))
            {
                _faults.Add(new ProgramFault(
                    entry.Program.Name, wasHeld ? $"returns without {name}, which {caller} holds." : $"returns with {name} held, which {caller} does not know of.", file, entry.Program.Line));
            }
        }
    }

    // Whatever such a loop waits for is changed by a thread that needs mmu_lock, or by nobody.
    private void CheckLoopsUnderMmuLock(HostProgram program, UserEntry entry)
    {
        ILookup<int, Place> places = entry.Places.Where(place => place.Frame.Program == program).ToLookup(place => place.Frame.State);
        HashSet<ProgramState> locked = [.. program.States.Where((state, number) => CannotEndALoop(state.Action)
            && places[number].Any() && places[number].All(place => place.Held.Find(KernelLocks.MmuLock) is { IsExclusive: true }))];
        if (program.States.FirstOrDefault(state => locked.Contains(state) && ProgramLoops.ComesBack(state, each => Next(program, each).Where(locked.Contains))) is { } start)
        {
            Add(program, start, $"comes back to itself with {KernelLocks.MmuLock} held for write, without a SEAMCALL and without bound: "
                + "nobody who needs the lock can end that. Bound it with CountBelow(...), or drop the lock in it.");
        }
    }

    private static bool CannotEndALoop(HostAction action) => action is not (SeamcallAction or CallAction or CountAction or NextGpaAction or DropLockAction);
}
