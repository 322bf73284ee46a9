using System.Collections.Concurrent;
using System.Diagnostics;
using TdxVerify.Host.Proposals;

namespace TdxVerify.Properties.Proposals;

/// <summary>What to run.</summary>
public sealed record ProposalOptions
{
    /// <summary>The proposals.</summary>
    public IReadOnlyList<Proposal> Proposals { get; init; } = ProposalTable.All;

    /// <summary>The configurations.</summary>
    public IReadOnlyList<StandardConfiguration> Configurations { get; init; } = StandardConfigurations.All;

    /// <summary>How many systems are looked at at the same time.</summary>
    public int Workers { get; init; } = Environment.ProcessorCount;

    /// <summary>How far each is looked at.</summary>
    public SystemLimits Limits { get; init; } = new();

    /// <summary>Causes are looked for, which takes further runs.</summary>
    public bool FindsCauses { get; init; } = true;
}

/// <summary>Runs proposals on standard configurations.</summary>
public sealed class ProposalRun
{
    private readonly ProposalOptions _options;
    private readonly CancellationToken _cancel;
    private readonly SystemCache _systems;
    private readonly ConcurrentDictionary<(Proposal, StandardConfiguration), ConfigurationResult> _results = new();
    private readonly ConcurrentDictionary<(Proposal, ProposalProperty), ProposalCause> _causes = new();
    private readonly ConcurrentDictionary<string, string> _underWay = new();
    private readonly Stopwatch _watch = new();

    /// <summary>A run.</summary>
    public ProposalRun(ProposalOptions options, CancellationToken cancel = default)
    {
        _options = options;
        _cancel = cancel;
        _systems = new SystemCache(options.Limits, cancel);
    }

    /// <summary>A proposal was run on a configuration. Raised by the thread that did it.</summary>
    public event Action<Proposal, ConfigurationResult>? CellDone;

    /// <summary>Cells that are done.</summary>
    public int Done => _results.Count;

    /// <summary>Cells in all.</summary>
    public int Cells => _options.Proposals.Count * _options.Configurations.Count;

    /// <summary>Since the start.</summary>
    public TimeSpan Elapsed => _watch.Elapsed;

    /// <summary>What is being looked at.</summary>
    public IEnumerable<string> UnderWay => _underWay.Keys.Order(StringComparer.Ordinal);

    /// <summary>What is known so far; may be asked for while it runs.</summary>
    public IReadOnlyList<ProposalReport> Reports => [.. _options.Proposals.Select(Report)];

    /// <summary>Runs all.</summary>
    public IReadOnlyList<ProposalReport> Run()
    {
        _watch.Start();
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = _options.Workers };
        (Proposal, StandardConfiguration)[] cells =
            [.. _options.Proposals.SelectMany(proposal => _options.Configurations, (proposal, configuration) => (proposal, configuration))];
        Parallel.ForEach(Partitioner.Create(cells, EnumerablePartitionerOptions.NoBuffering), parallel, cell => Run(cell.Item1, cell.Item2));
        if (_options.FindsCauses)
        {
            var finder = new CauseFinder(_systems);
            (Proposal Proposal, Refutation Refuted)[] refuted =
                [.. Reports.SelectMany(report => report.Refutations, (report, refutation) => (report.Proposal, refutation))];
            Parallel.ForEach(Partitioner.Create(refuted, EnumerablePartitionerOptions.NoBuffering), parallel, each => FindCause(finder, each.Proposal, each.Refuted));
        }

        return Reports;
    }

    private void Run(Proposal proposal, StandardConfiguration configuration)
    {
        if (_cancel.IsCancellationRequested)
            return;
        string what = $"{proposal.Name} on {configuration.Name}";
        _underWay.TryAdd(what, what);
        SystemResult result = _systems.Of(proposal.In(configuration), !configuration.IsExplored);
        var done = new ConfigurationResult(configuration, result);
        _results[(proposal, configuration)] = done;
        _underWay.TryRemove(what, out _);
        CellDone?.Invoke(proposal, done);
    }

    private void FindCause(CauseFinder finder, Proposal proposal, Refutation refuted)
    {
        string what = $"why {proposal.Name} is not {refuted.Property.Title()}";
        _underWay.TryAdd(what, what);
        _causes[(proposal, refuted.Property)] = finder.Find(proposal, refuted.In.Configuration, refuted.Property);
        _underWay.TryRemove(what, out _);
    }

    private ProposalReport Report(Proposal proposal)
    {
        ConfigurationResult[] results = [.. _options.Configurations.Select(configuration => _results.GetValueOrDefault((proposal, configuration))).OfType<ConfigurationResult>()];
        return new ProposalReport(
            proposal, results, _options.Configurations.Count - results.Length,
            [.. ProposalProperties.All.Select(property => Refuted(proposal, results, property)).OfType<Refutation>()]);
    }

    // The shortest run that shows it, and of those the one in the configuration that comes first.
    private Refutation? Refuted(Proposal proposal, ConfigurationResult[] results, ProposalProperty property) => results
        .Where(result => result.Finding(property) is { OnlyWeakly: false })
        .Select(result => new Refutation(property, result, result.Finding(property)!, _causes.GetValueOrDefault((proposal, property))))
        .MinBy(refutation => refutation.Finding.Run.Steps);
}
