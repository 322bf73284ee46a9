using System.Collections.Concurrent;
using TdxVerify.Host;

namespace TdxVerify.Properties.Proposals;

/// <summary>Looks at systems, at each once.</summary>
/// <param name="limits">How far.</param>
/// <param name="cancel">Ends it early.</param>
internal sealed class SystemCache(SystemLimits limits, CancellationToken cancel)
{
    private readonly ConcurrentDictionary<(SystemKey System, bool IsLarge), Lazy<SystemResult>> _known = new();

    /// <summary>What comes of a system.</summary>
    public SystemResult Of(Configuration configuration, bool isLarge) =>
        _known.GetOrAdd((new SystemKey(configuration), isLarge), _ => new Lazy<SystemResult>(() => SystemRun.Of(configuration, limits, isLarge, cancel))).Value;

    /// <summary>The same was looked at already, for another proposal.</summary>
    public bool Knows(Configuration configuration, bool isLarge) => _known.TryGetValue((new SystemKey(configuration), isLarge), out Lazy<SystemResult>? known) && known.IsValueCreated;
}
