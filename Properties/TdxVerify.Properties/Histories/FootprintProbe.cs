using System.Numerics;
using TdxVerify.Hardware.Trace;

namespace TdxVerify.Properties.Histories;

/// <summary>
/// Goes on from a dead end at random, whatever the calls answer, until those in flight have ended: so a search learns
/// early what calls use that it would come to late. It saves time, and nothing depends on it.
/// </summary>
internal sealed class FootprintProbe(Configuration configuration, History history, Playback playback)
{
    // A call makes this many steps in a row on average: locks are held over several.
    private const int Burst = 8;

    private readonly Random _random = new(1);

    /// <summary>True: something new was learnt. The configuration is as before.</summary>
    public bool Run()
    {
        Configuration.Point point = configuration.Save();
        Cursor cursor = playback.Cursor;
        bool hasLearnt = false;
        int target = Target();
        int lp = -1;
        while (true)
        {
            while (!playback.IsDone && playback.Cursor.Event <= target && TryNext(out int e))
                hasLearnt |= Pass(e);
            int movable = configuration.Movable;
            if (movable == 0)
                break;
            if (lp < 0 || (movable >> lp & 1) == 0 || _random.Next(Burst) == 0)
                lp = Pick(movable);
            hasLearnt |= playback.Step(lp);
        }

        configuration.Restore(point);
        configuration.Forget(point);
        playback.Cursor = cursor;
        return hasLearnt;
    }

    private int Target()
    {
        int target = playback.Cursor.Event;
        for (int rest = configuration.InFlight; rest != 0; rest &= rest - 1)
        {
            int call = configuration.Call(BitOperations.TrailingZeroCount(rest));
            target = Math.Max(target, playback.IsEndKnown(call) ? history.End(call) : playback.Cut);
        }

        return target;
    }

    // An end is passed however its call ended.
    private bool TryNext(out int e)
    {
        e = playback.Next;
        return playback.TryNext(out int ready) ? (e = ready) >= 0
            : history[e].Kind == TraceEventKind.End && (configuration.Movable >> history[e].Lp & 1) == 0;
    }

    private bool Pass(int e)
    {
        bool hasLearnt = false;
        switch (history[e].Kind)
        {
            case TraceEventKind.Begin:
                playback.Begin(e);
                break;
            case TraceEventKind.Seamcall when !configuration.IsInFlight(history[e].Lp):
                playback.Begin(e);
                return false;
            case TraceEventKind.Seamcall:
            case TraceEventKind.End:
                configuration.End(history[e].Lp);
                break;
            default:
                playback.Carry(e, out hasLearnt);
                break;
        }

        playback.Pass(e);
        return hasLearnt;
    }

    private int Pick(int set)
    {
        for (int index = _random.Next(BitOperations.PopCount((uint)set)); index > 0; index--)
            set &= set - 1;
        return BitOperations.TrailingZeroCount(set);
    }
}
