using TdxVerify.Host;
using TdxVerify.Host.Kvm;

namespace TdxVerify.Properties.LockMaps;

/// <summary>What the programs of a host, taken together, do with flags and requests: what a single thread can rely on.</summary>
internal sealed class HostFacts
{
    private readonly Dictionary<string, HashSet<HeldLocks>> _writers = [];
    private readonly HashSet<string> _testedInGuestMode = [];
    private readonly HashSet<string> _checkedRequests = [];

    /// <summary>Nothing is known yet: no flag is a gate.</summary>
    public static HostFacts None { get; } = new();

    /// <summary>The facts about some programs, found by walking through them.</summary>
    public static HostFacts Of(IEnumerable<HostProgram> programs)
    {
        var facts = new HostFacts();
        foreach (HostProgram program in programs)
        {
            foreach (Place place in ProgramWalk.Places(program, None))
                facts.Note(place);
        }

        return facts;
    }

    /// <summary>
    /// The flag keeps vCPUs out while a thread has it set and has kicked them: vCPUs look at it after they said
    /// IN_GUEST_MODE, and no two threads can be writing it at once.
    /// </summary>
    public bool IsGate(string flag) => _testedInGuestMode.Contains(flag) && _writers.TryGetValue(flag, out HashSet<HeldLocks>? writers)
        && writers.All(writer => writers.All(other => writer.Excluding(other, CallRelation.OfOneVm).Any()));

    /// <summary>The request keeps vCPUs out until it is cleared for all: no vCPU takes it as done.</summary>
    public bool IsGateRequest(string request) => !_checkedRequests.Contains(request);

    /// <summary>The TD may be finalized by another thread while one holds these.</summary>
    public bool MayBeFinalized(HeldLocks held) => _writers.TryGetValue(KvmVariables.Runnable, out HashSet<HeldLocks>? writers)
        && writers.Any(writer => !writer.Excluding(held, CallRelation.OfOneVm).Any());

    private void Note(Place place)
    {
        switch (place.State.Action)
        {
            case WriteVariableAction write:
                if (!_writers.TryGetValue(write.Variable, out HashSet<HeldLocks>? writers))
                    _writers.Add(write.Variable, writers = []);
                writers.Add(place.Held);
                break;
            case TestVariableAction test when place.IsInGuestMode:
                _testedInGuestMode.Add(test.Variable);
                break;
            case CheckRequestAction check:
                _checkedRequests.Add(check.Request);
                break;
            default:
                break;
        }
    }
}
