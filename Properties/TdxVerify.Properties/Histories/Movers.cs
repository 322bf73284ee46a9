using System.Numerics;

namespace TdxVerify.Properties.Histories;

/// <summary>
/// Which of the calls in flight must be tried next, so that no answer is missed: the smallest persistent set.
/// </summary>
/// <remarks>
/// A call whose next step conflicts with nothing that any call can still do before it ends may make that step first:
/// every interleaving is equal to one that begins with it. Else the calls it conflicts with must be tried as well, and
/// so on for these. A call that has not begun cannot be tried; it waits for those that end next, so these are tried
/// instead. What a call can still do is known from other interleavings (<see cref="Footprint"/>), which may be too
/// little: see <see cref="HistorySearch"/>.
/// </remarks>
internal sealed class Movers(Configuration configuration, History history, Playback playback)
{
    /// <summary>The processors to try, one bit each; none where no call can make a step.</summary>
    public int Choose()
    {
        int movable = configuration.Movable;
        int goals = movable & playback.Goals;
        int wanted = Close(goals != 0 ? goals & -goals : movable & -movable);
        for (int rest = movable; rest != 0 && (wanted & (wanted - 1)) != 0; rest &= rest - 1)
        {
            int other = Close(rest & -rest);
            if ((other & (other - 1)) == 0)
                return other;
        }

        return wanted;
    }

    private int Close(int members)
    {
        for (int rest = members; rest != 0;)
        {
            int lp = BitOperations.TrailingZeroCount(rest);
            int added = Against(lp) & ~members;
            members |= added;
            rest = (rest & (rest - 1)) | added;
        }

        return members;
    }

    // What must be tried as well because of the next step of one call.
    private int Against(int lp)
    {
        Footprint mine = history.Footprint(configuration.Call(lp));
        int place = configuration.Place(lp);
        int against = 0;
        for (int rest = configuration.Movable & ~(1 << lp); rest != 0; rest &= rest - 1)
        {
            int other = BitOperations.TrailingZeroCount(rest);
            if (mine.LastConflict(place, history.Footprint(configuration.Call(other))) >= configuration.Place(other))
                against |= 1 << other;
        }

        int goals = playback.Goals & configuration.Movable & ~(1 << lp);
        return (goals & ~against) != 0 && ConflictsLater(mine, place, configuration.Call(lp)) ? against | goals : against;
    }

    private bool ConflictsLater(Footprint mine, int place, int call)
    {
        int end = playback.IsEndKnown(call) ? history.GroupEnd(history.End(call)) : playback.Cut;
        for (int later = playback.Next; later < Math.Min(end, playback.Cut); later++)
        {
            if (history.KnownFootprint(later) is { } theirs && later != call && !playback.IsPassed(later) && mine.LastConflict(place, theirs) >= 0)
                return true;
        }

        return false;
    }
}
