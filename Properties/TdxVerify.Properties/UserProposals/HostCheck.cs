using TdxVerify.Abi;
using TdxVerify.Host;
using TdxVerify.Host.Kvm;
using TdxVerify.Host.Proposals;
using TdxVerify.Properties.LockMaps;

namespace TdxVerify.Properties.UserProposals;

/// <summary>
/// What is wrong with a host whose programs are each well formed: they do not fit together, or cannot do what a thread of
/// the kernel must. Only what is wrong on every way to a state is a reason to refuse.
/// </summary>
/// <param name="host">The host.</param>
/// <param name="file">The file with the user's programs.</param>
internal sealed class HostCheck(HostPrograms host, string file)
{
    private static readonly string[] s_codes = [.. typeof(KvmCodes).GetFields().Where(field => field.IsLiteral).Select(field => (string)field.GetRawConstantValue()!)];

    private readonly List<ProgramFault> _faults = [];

    /// <summary>The faults.</summary>
    public IReadOnlyList<ProgramFault> Faults()
    {
        CheckCodes();
        HostFacts facts = HostFacts.Of(host.All.Select(each => each.Program));
        ILookup<(HostProgram, int), Place> places = host.All
            .SelectMany(each => ProgramWalk.Places(each.Program, facts)).ToLookup(place => (place.Frame.Program, place.Frame.State));
        HashSet<HostProgram> concerned = [.. Programs().Where(program => program.WithCalled().Any(IsUsers))];
        foreach (IGrouping<(HostProgram Program, int State), Place> here in places.Where(here => concerned.Contains(here.Key.Item1)))
            CheckLocks(here.Key.Program, here.Key.Program.States[here.Key.State], [.. here.Select(place => place.Held)]);
        foreach (HostProgram program in Programs().Where(IsUsers))
            CheckLoopsUnderMmuLock(program, places);
        return _faults;
    }

    private IEnumerable<HostProgram> Programs() => host.All.SelectMany(each => each.Program.WithCalled()).Distinct();

    private bool IsUsers(HostProgram program) => program.File == file;

    private void Add(HostProgram program, ProgramState state, string text) =>
        _faults.Add(new ProgramFault(program.Name, $"state {state.Name} ({state.Action.Text}) {text}", program.File, state.Line));

    // A code that nobody knows is taken for one of those that nobody tests: a typing error would go unnoticed.
    private void CheckCodes()
    {
        HashSet<string> tested = [.. Programs().SelectMany(program => program.States).SelectMany(state => state.Transitions)
            .Where(transition => transition.When.Kinds is [ResultKind.Returned]).Select(transition => transition.When.Text)];
        foreach (HostProgram program in Programs().Where(IsUsers))
        {
            foreach (ProgramState state in program.States)
            {
                foreach (ProgramTransition transition in state.Transitions)
                {
                    if (program.States.First(each => each.Name == transition.To).Action is ReturnAction { Code: { } code } && !s_codes.Contains(code) && !tested.Contains(code))
                        _faults.Add(new ProgramFault(program.Name, $"state {state.Name} leads to return {code}, for which no caller tests; the codes of KVM are {string.Join(", ", s_codes)}.", program.File, transition.Line));
                }
            }
        }
    }

    // The mutexes of all vCPUs count as one here, so they say nothing.
    private static bool IsTold(string kernelLock) => HeldLock.NameOf(kernelLock) != KernelLocks.OwnVcpuMutex;

    private void CheckLocks(HostProgram program, ProgramState state, IReadOnlyList<HeldLocks> held)
    {
        switch (state.Action)
        {
            case DropLockAction drop when IsTold(drop.Lock) && held.All(locks => locks.Find(HeldLock.NameOf(drop.Lock)) is null):
                Add(program, state, $"drops {drop.Lock}, which is not held there{Blame(program)}.");
                break;
            case TakeLockAction take when IsTold(take.Lock) && held.All(locks => locks.Find(HeldLock.NameOf(take.Lock)) is not null):
                Add(program, state, $"takes {take.Lock}, which the thread holds there already{Blame(program)}: it would wait for itself.");
                break;
            case SrcuUnlockAction when held.All(locks => locks.Find(HeldLock.Srcu) is null):
                Add(program, state, $"leaves an SRCU read section in which it is not{Blame(program)}.");
                break;
            case DoneAction when held.All(locks => locks.Find(KernelLocks.MmuLock) is not null):
                Add(program, state, $"ends with {KernelLocks.MmuLock} held{Blame(program)}.");
                break;
            default:
                break;
        }
    }

    // KVM's own programs are all right by themselves: it is what one of the user's did or left undone.
    private string Blame(HostProgram program)
    {
        if (IsUsers(program))
            return "";
        return $", because of what it calls ({string.Join("; ", program.WithCalled().Where(IsUsers).Select(each => $"{each.Name}, line {each.Line}"))})";
    }

    // Whatever such a loop waits for is changed by a thread that needs mmu_lock, or by nobody.
    private void CheckLoopsUnderMmuLock(HostProgram program, ILookup<(HostProgram, int), Place> places)
    {
        HashSet<ProgramState> locked = [.. program.States.Where((state, number) => CannotEndALoop(state.Action)
            && places[(program, number)].Any() && places[(program, number)].All(place => place.Held.Find(KernelLocks.MmuLock) is { IsExclusive: true }))];
        foreach (ProgramState start in program.States.Where(locked.Contains))
        {
            HashSet<ProgramState> seen = [];
            var left = new Stack<ProgramState>([start]);
            while (left.TryPop(out ProgramState? state) && !seen.Contains(start))
            {
                foreach (ProgramState next in state.Transitions.Select(transition => program.States.First(each => each.Name == transition.To)))
                {
                    if (locked.Contains(next) && seen.Add(next))
                        left.Push(next);
                }
            }

            if (!seen.Contains(start))
                continue;
            Add(program, start, $"comes back to itself with {KernelLocks.MmuLock} held for write, without a SEAMCALL and without bound; nobody who needs the lock can end that. Bound it with CountBelow(...), or drop the lock in it.");
            return;
        }
    }

    private static bool CannotEndALoop(HostAction action) => action is not (SeamcallAction or CallAction or CountAction or NextGpaAction or DropLockAction);
}
