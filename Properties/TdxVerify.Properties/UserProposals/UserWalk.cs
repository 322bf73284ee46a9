using TdxVerify.Host;
using TdxVerify.Host.Kvm;
using TdxVerify.Properties.LockMaps;

namespace TdxVerify.Properties.UserProposals;

/// <summary>One way into a user's program: what its caller holds, and all places that may follow until it returns.</summary>
/// <param name="Entry">Where it begins.</param>
/// <param name="Caller">KVM's program that calls it; null: it is a path of its own.</param>
/// <param name="Places">The places, those of programs that it calls included.</param>
internal sealed record UserEntry(Place Entry, HostProgram? Caller, IReadOnlyCollection<Place> Places)
{
    /// <summary>The program.</summary>
    public HostProgram Program => Entry.Frame.Program;
}

/// <summary>
/// Walks through a host up to each user's program, and through each of those by itself: what one of them does wrong is not
/// taken for what its callers do afterwards.
/// </summary>
internal sealed class UserWalk(HostPrograms host, Func<HostProgram, bool> isUsers)
{
    private readonly HostFacts _facts = HostFacts.Of(host.All.Select(each => each.Program));
    private readonly HashSet<(Place Entry, HostProgram? Caller)> _entries = [];

    /// <summary>Every way into a user's program.</summary>
    public IEnumerable<UserEntry> Entries()
    {
        foreach ((_, HostProgram program) in host.All)
        {
            if (isUsers(program))
            {
                foreach (bool isRunnable in (bool[])[false, true])
                    _entries.Add((ProgramWalk.Begin(program, isRunnable), null));
            }
            else if (program.WithCalled().Any(isUsers))
            {
                Walk([ProgramWalk.Begin(program, false), ProgramWalk.Begin(program, true)], AroundUsers);
            }
        }

        return _entries.Select(each => new UserEntry(each.Entry, each.Caller, Walk([each.Entry], place => ProgramWalk.Next(place, _facts))));
    }

    private HashSet<Place> Walk(IEnumerable<Place> begin, Func<Place, IEnumerable<Place>> next)
    {
        HashSet<Place> places = [.. begin];
        var left = new Queue<Place>(places);
        while (left.TryDequeue(out Place? place))
        {
            IEnumerable<Place> following = next(place);
            if (!place.IsRunnable && _facts.MayBeFinalized(place.Held))
                following = following.Append(place with { IsRunnable = true });
            foreach (Place one in following.Where(places.Add))
                left.Enqueue(one);
        }

        return places;
    }

    // A user's program is taken to do what it must: it comes back with the locks that it was called with, and with any result.
    private IEnumerable<Place> AroundUsers(Place place)
    {
        if (place.State.Action is not CallAction call || !isUsers(call.Program))
            return ProgramWalk.Next(place, _facts);
        _entries.Add((place with { Frame = new Frame(call.Program, 0, null) }, place.Frame.Program));
        return place.State.Transitions.Select(transition => place with { Frame = place.Frame.At(transition.To), Last = default });
    }
}
