using System.Diagnostics;
using TdxVerify.Model;
using TdxVerify.Properties.Laws;
using TdxVerify.Properties.Runs;

namespace TdxVerify.Properties.Campaigns;

/// <summary>A property run: workers draw random sequences until time is up or a law is broken.</summary>
public sealed class PropsCampaign : IDisposable
{
    private readonly PropsOptions _options;
    private readonly PropsWorker[] _workers;
    private long _rounds;
    private volatile bool _stopped;
    private volatile bool _interrupted;
    private FoundFailure? _failure;

    /// <summary>Opens a port for each worker.</summary>
    public PropsCampaign(PropsOptions options)
        : this(options, [.. Enumerable.Range(0, Math.Max(1, options.Workers)).Select(_ => new PropsWorker(options))])
    {
    }

    private PropsCampaign(PropsOptions options, PropsWorker[] workers)
    {
        _options = options;
        _workers = workers;
    }

    /// <summary>Calls so far.</summary>
    public long Calls => _workers.Sum(worker => worker.Calls);

    /// <summary>Sequences so far.</summary>
    public long Sequences => _workers.Sum(worker => worker.Runner.Sequences);

    /// <summary>Interesting cases that occurred, of all.</summary>
    public (int Occurred, int All) Cases
    {
        get
        {
            IReadOnlyList<LawReport> laws = LawReports();
            return (laws.Sum(law => law.Sometimes.Count(item => item.Count > 0)), laws.Sum(law => law.Sometimes.Count));
        }
    }

    /// <summary>A law was broken; the failure is being made small.</summary>
    public bool IsShrinking => _workers.Any(worker => worker.IsShrinking);

    /// <summary>The run was ended early.</summary>
    public bool WasStopped => _interrupted;

    /// <summary>Ends the run early, and what it does about a broken law.</summary>
    public void Stop()
    {
        _interrupted = true;
        _stopped = true;
        foreach (PropsWorker worker in _workers)
            worker.StopShrinking();
    }

    /// <summary>Runs until time is up, the run is stopped, or a law is broken.</summary>
    public PropsResult Run()
    {
        var time = Stopwatch.StartNew();
        var threads = new List<Thread>();
        Exception? error = null;
        foreach (PropsWorker worker in _workers)
        {
            var thread = new Thread(() =>
            {
                try
                {
                    RunWorker(worker, time);
                }
                catch (Exception e)
                {
                    error ??= e;
                    _stopped = true;
                }
            })
            {
                IsBackground = true,
            };
            threads.Add(thread);
            thread.Start();
        }

        foreach (Thread thread in threads)
            thread.Join();
        if (error is not null)
            throw new InvalidOperationException("A worker of the property run failed.", error);
        return Report(time.Elapsed.TotalSeconds);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PropsWorker worker in _workers)
            worker.Dispose();
    }

    private void RunWorker(PropsWorker worker, Stopwatch time)
    {
        FoundFailure? found = worker.Run(() => Interlocked.Increment(ref _rounds) - 1, () => _stopped || time.Elapsed >= _options.Time);
        if (found is null)
            return;
        _stopped = true;
        Interlocked.CompareExchange(ref _failure, found, null);
    }

    private IReadOnlyList<LawReport> LawReports() =>
        [.. _workers[0].Runner.Laws.Select((law, position) => Combine([.. _workers.Select(worker => worker.Runner.Laws[position])]))];

    private static LawReport Combine(Law[] same)
    {
        (string Case, long Count)[] sometimes = [.. same[0].Sometimes];
        foreach (Law other in same.Skip(1))
        {
            int i = 0;
            foreach ((_, long count) in other.Sometimes)
                sometimes[i++].Count += count;
        }

        return new LawReport(same[0].Name, same[0].Statement, same.Sum(law => law.Checked), sometimes);
    }

    /// <summary>The result of one worker that ran a sequence of its own.</summary>
    public static PropsResult ReportOf(PropsWorker worker, PropsOptions options, FoundFailure? failure)
    {
        // Not disposed: the worker is its owner's.
        return new PropsCampaign(options, [worker]) { _failure = failure }.Report(0);
    }

    private PropsResult Report(double seconds)
    {
        LeafSet<ObservedState> leaves = _workers[0].Runner.Model.Machine.Leaves;
        var leafReports = new List<LeafReport>();
        foreach (Leaf<ObservedState> leaf in leaves.All)
        {
            var failed = new long[leaf.Steps.Length + 1];
            foreach (PropsWorker worker in _workers)
            {
                Machine<ObservedState> machine = worker.Runner.Model.Machine;
                IReadOnlyList<long> coverage = machine.Coverage(machine.Leaves.All[leaf.Index]);
                for (int i = 0; i < failed.Length; i++)
                    failed[i] += coverage[i];
            }

            leafReports.Add(new LeafReport(leaf.Id.Name, failed[0], failed, leaf.Steps));
        }

        var states = new StateCoverage(leaves);
        foreach (PropsWorker worker in _workers)
            states.Add(worker.Sequences.States);
        SeptState[] all = Enum.GetValues<SeptState>();
        return new PropsResult
        {
            Calls = Calls,
            Sequences = Sequences,
            Seconds = seconds,
            Seed = _options.Seed,
            Laws = LawReports(),
            Leaves = leafReports,
            SeptStates =
            [
                .. leaves.All
                    .Select(leaf => (leaf.Id.Name, (IReadOnlyList<long>)[.. all.Select(state => states[leaf.Index, state])]))
                    .Where(row => row.Item2.Any(count => count > 0)),
            ],
            Failure = _failure,
            WasInterrupted = _interrupted,
        };
    }
}
