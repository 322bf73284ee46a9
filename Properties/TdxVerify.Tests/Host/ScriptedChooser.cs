using TdxVerify.Model;

namespace TdxVerify.Tests.Host;

/// <summary>Makes a step again and again, until every way to go on was taken.</summary>
internal sealed class ScriptedChooser : IChooser
{
    private readonly List<(int Taken, int Count)> _script = [];
    private int _at;

    /// <inheritdoc/>
    public int Choose(int count)
    {
        if (_at == _script.Count)
            _script.Add((0, count));
        return _script[_at++].Taken;
    }

    /// <summary>The step is made once more.</summary>
    public void Restart() => _at = 0;

    /// <summary>The next ways in order; false: all were taken.</summary>
    public bool MoveNext()
    {
        while (_script.Count > 0)
        {
            (int taken, int count) = _script[^1];
            if (taken + 1 < count)
            {
                _script[^1] = (taken + 1, count);
                return true;
            }

            _script.RemoveAt(_script.Count - 1);
        }

        return false;
    }
}
