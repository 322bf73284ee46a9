using System.Runtime.InteropServices;

namespace TdxVerify.Properties.Histories;

/// <summary>The configurations that were met, and of those that explain nothing what is to blame for it.</summary>
internal sealed class FailedConfigurations
{
    private readonly Dictionary<UInt128, Blame?> _met = [];

    // There are few different ones.
    private readonly HashSet<Blame> _blames = [];

    /// <summary>Forgets all.</summary>
    public void Clear()
    {
        _met.Clear();
        _blames.Clear();
    }

    /// <summary>True: it is met for the first time.</summary>
    /// <param name="key">The configuration.</param>
    /// <param name="blame">If not, what is to blame; null: that is not known.</param>
    public bool Meet(UInt128 key, out Blame? blame)
    {
        blame = CollectionsMarshal.GetValueRefOrAddDefault(_met, key, out bool isKnown);
        return !isKnown;
    }

    /// <summary>It explains nothing.</summary>
    public void Fail(UInt128 key, Blame blame)
    {
        if (_blames.TryGetValue(blame, out Blame? same))
            blame = same;
        else
            _blames.Add(blame);
        _met[key] = blame;
    }
}
