using System.Runtime.ExceptionServices;

namespace TdxVerify.Properties.Exploration;

/// <summary>Threads that work side by side, over and over, and wait for each other in between.</summary>
/// <remarks>
/// Why not <see cref="Parallel"/>: a breadth-first search meets thousands of times a second, twice a level. Workers that
/// stay and look for each other meet in a microsecond; one that is called from the pool comes after fifty.
/// </remarks>
internal sealed class WorkerTeam : IDisposable
{
    private readonly Barrier _meeting;
    private readonly Thread[] _threads;
    private Action<int> _work = _ => { };
    private ExceptionDispatchInfo? _failure;
    private bool _isOver;

    /// <summary>A team.</summary>
    /// <param name="workers">Its size; the thread that calls <see cref="Run"/> is worker 0.</param>
    public WorkerTeam(int workers)
    {
        _meeting = new Barrier(workers);
        _threads = [.. Enumerable.Range(1, workers - 1).Select(worker => new Thread(() => Serve(worker)) { IsBackground = true, Name = $"worker {worker}" })];
        foreach (Thread thread in _threads)
            thread.Start();
    }

    /// <summary>One round: returns when all workers have done their work. An exception in one of them comes here.</summary>
    /// <param name="work">What a worker does, given its number.</param>
    public void Run(Action<int> work)
    {
        _work = work;
        _meeting.SignalAndWait();
        Try(0);
        _meeting.SignalAndWait();
        _failure?.Throw();
    }

    public void Dispose()
    {
        _isOver = true;
        _meeting.SignalAndWait();
        foreach (Thread thread in _threads)
            thread.Join();
        _meeting.Dispose();
    }

    private void Serve(int worker)
    {
        while (true)
        {
            _meeting.SignalAndWait();
            if (_isOver)
                return;
            Try(worker);
            _meeting.SignalAndWait();
        }
    }

    private void Try(int worker)
    {
        try
        {
            _work(worker);
        }
        catch (Exception failure)
        {
            _failure = ExceptionDispatchInfo.Capture(failure);
        }
    }
}
