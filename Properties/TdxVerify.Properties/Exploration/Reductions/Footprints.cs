using TdxVerify.Model;

namespace TdxVerify.Properties.Exploration.Reductions;

/// <summary>Which cells each agent uses and how, as far as its steps were seen.</summary>
/// <remarks>
/// Why: a step of one agent that uses nothing that another agent ever uses in a conflicting way can be made first, and
/// the other orders need not be explored. What agents use is not known before the search, so it is assumed, from random
/// walks and earlier rounds, and checked: a search in which somebody used more than was assumed is made again with what
/// it saw. The last round saw nothing new, in any state that it kept, for any agent. Were there a run in the full space
/// with a use that was not assumed, then one with the fewest steps up to it; its steps but the last are all within what
/// was assumed, so they can change places with the steps that the search made first, and the last one would be made in
/// a state that the search kept, where it was looked at.
/// </remarks>
internal sealed class Footprints(int agents)
{
    private readonly Dictionary<Cell, CellUse>[] _seen = [.. Enumerable.Range(0, agents).Select(_ => new Dictionary<Cell, CellUse>())];
    private Dictionary<Cell, CellUse>[] _assumed = [.. Enumerable.Range(0, agents).Select(_ => new Dictionary<Cell, CellUse>())];

    /// <summary>Somebody used more than is assumed.</summary>
    public bool Grew { get; private set; }

    /// <summary>What was seen so far is assumed from now on.</summary>
    public void Assume()
    {
        _assumed = [.. _seen.Select(uses => new Dictionary<Cell, CellUse>(uses))];
        Grew = false;
    }

    /// <summary>An agent made a step.</summary>
    public void Add(int agent, IReadOnlyDictionary<Cell, CellUse> step)
    {
        foreach ((Cell used, CellUse use) in step)
        {
            Cell cell = CellUses.SharedWith(used);
            _seen[agent][cell] = _seen[agent].GetValueOrDefault(cell) | use;
            Grew |= (_assumed[agent].GetValueOrDefault(cell) & use) != use;
        }
    }

    /// <summary>No other agent uses, as is assumed, what the step uses in a way that makes the order matter.</summary>
    public bool IsIndependent(int agent, IReadOnlyDictionary<Cell, CellUse> step)
    {
        foreach ((Cell used, CellUse use) in step)
        {
            Cell cell = CellUses.SharedWith(used);
            for (int other = 0; other < _assumed.Length; other++)
            {
                if (other != agent && use.ConflictsWith(_assumed[other].GetValueOrDefault(cell)))
                    return false;
            }
        }

        return true;
    }
}
