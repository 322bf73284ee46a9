using TdxVerify.Model;

namespace TdxVerify.Properties.Contention;

/// <summary>The explorers of one thread, one for each set-up, made when first needed.</summary>
internal sealed class SetupExplorers(ContentionRecordings recordings, LeafSet<BranchingState> leaves, bool splitsLocks = false) : IDisposable
{
    private readonly Dictionary<string, PairExplorer> _explorers = [];

    public PairExplorer Of(string scenario)
    {
        if (!_explorers.TryGetValue(scenario, out PairExplorer? explorer))
            _explorers.Add(scenario, explorer = new PairExplorer(recordings.Setups[scenario], leaves, splitsLocks));
        return explorer;
    }

    public void Dispose()
    {
        foreach (PairExplorer explorer in _explorers.Values)
            explorer.Dispose();
    }
}
