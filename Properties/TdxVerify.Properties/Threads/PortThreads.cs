using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;

namespace TdxVerify.Properties.Threads;

/// <summary>
/// One thread for each logical processor, which call a port at the same time and note when each call began and ended.
/// </summary>
/// <remarks>
/// Time is a counter that every begin and end takes the next number of: what is ordered by it was ordered in reality, and
/// what overlapped in reality overlaps by it. Before a call the threads wait a little for one another, so that their
/// calls meet; where the port can pause in the middle of a call, it does so now and then.
/// </remarks>
internal sealed class PortThreads : IDisposable
{
    // Longer than a call takes, shorter than a thread that the system has put aside is worth waiting for.
    private const int SpinsBeforeCall = 200;
    // One pause in so many is one: most calls are to be as fast as they are.
    private const uint PausesSkipped = 8;
    private const int MostYields = 2;
    private const int MostEventsWaitedFor = 12;

    private static readonly TimeSpan s_idle = TimeSpan.FromMilliseconds(50);

    private readonly IPort _port;
    private readonly Thread[] _threads;
    private readonly TraceEvent[][] _calls;
    private readonly (TraceEvent Begin, TraceEvent End)[][] _made;
    private readonly PortResult[] _results;
    private readonly ManualResetEventSlim _go = new();
    private readonly CountdownEvent _done;
    [ThreadStatic]
    private static uint t_random;

    private long _clock;
    private int _round;
    private int _arrived;
    private volatile bool _isOver;

    /// <summary>Threads that wait for work.</summary>
    public PortThreads(IPort port, int threads)
    {
        _port = port;
        if (port is IPausingPort pausing)
            pausing.Pause = Pause;
        _calls = new TraceEvent[threads][];
        _made = new (TraceEvent, TraceEvent)[threads][];
        _results = new PortResult[threads];
        _done = new CountdownEvent(threads);
        _threads = [.. Enumerable.Range(0, threads).Select(lp => new Thread(() => Work(lp)) { IsBackground = true, Name = $"LP {lp}" })];
        foreach (Thread thread in _threads)
            thread.Start();
    }

    /// <summary>Calls all that the threads are to call, and waits until they are done.</summary>
    /// <param name="calls">By thread.</param>
    /// <param name="events">The begins and ends in the order of time are added here.</param>
    /// <returns>What the port said to the first call that it did not carry out; else <see cref="PortResult.Ok"/>.</returns>
    public PortResult Run(IReadOnlyList<TraceEvent[]> calls, List<TraceEvent> events)
    {
        for (int lp = 0; lp < _threads.Length; lp++)
        {
            _calls[lp] = calls[lp];
            _made[lp] = new (TraceEvent, TraceEvent)[calls[lp].Length];
            _results[lp] = PortResult.Ok;
        }

        _done.Reset();
        Volatile.Write(ref _arrived, 0);
        Interlocked.Increment(ref _round);
        _go.Set();
        _done.Wait();
        _go.Reset();
        var made = new List<TraceEvent>();
        foreach ((TraceEvent begin, TraceEvent end) in _made.SelectMany(each => each).Where(each => each.Begin.Time != 0))
        {
            made.Add(begin);
            if (end.Time != 0)
                made.Add(end);
        }

        events.AddRange(made.OrderBy(e => e.Time));
        return _results.FirstOrDefault(result => result != PortResult.Ok);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _isOver = true;
        _go.Set();
        foreach (Thread thread in _threads)
            thread.Join();
        if (_port is IPausingPort pausing)
            pausing.Pause = null;
        _go.Dispose();
        _done.Dispose();
    }

    private void Work(int lp)
    {
        int round = 0;
        while (!_isOver)
        {
            if (Volatile.Read(ref _round) == round)
            {
                _go.Wait(s_idle);
                continue;
            }

            round = Volatile.Read(ref _round);
            if (_isOver)
                return;
            Call(lp);
            _done.Signal();
        }
    }

    private void Call(int lp)
    {
        TraceEvent[] calls = _calls[lp];
        (TraceEvent Begin, TraceEvent End)[] made = _made[lp];
        for (int i = 0; i < calls.Length; i++)
        {
            RegisterFile registers = calls[i].Input;
            Meet(i);
            long begun = Interlocked.Increment(ref _clock);
            PortResult result = _port.Seamcall(lp, ref registers);
            long ended = Interlocked.Increment(ref _clock);
            made[i].Begin = calls[i] with { Kind = TraceEventKind.Begin, Id = begun, Time = begun };
            if (result != PortResult.Ok)
            {
                _results[lp] = result;
                return;
            }

            made[i].End = calls[i] with { Kind = TraceEventKind.End, Id = begun, Time = ended };
            made[i].End.Answer(registers);
        }
    }

    // Some other calls begin or end meanwhile, or the system has nothing else to run.
    private void Pause()
    {
        if (t_random == 0)
            t_random = (uint)Environment.CurrentManagedThreadId * 2_654_435_761;
        t_random ^= t_random << 13;
        t_random ^= t_random >> 17;
        t_random ^= t_random << 5;
        if (t_random % PausesSkipped != 0)
            return;
        long until = Volatile.Read(ref _clock) + 1 + ((t_random >> 8) % MostEventsWaitedFor);
        for (int i = 0; i < MostYields && Volatile.Read(ref _clock) < until; i++)
            Thread.Yield();
    }

    private void Meet(int call)
    {
        Interlocked.Increment(ref _arrived);
        int all = (call + 1) * _threads.Length;
        for (int spin = 0; spin < SpinsBeforeCall && Volatile.Read(ref _arrived) < all; spin++)
            Thread.SpinWait(1);
    }
}
