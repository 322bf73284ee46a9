using TdxVerify.Model;

namespace TdxVerify.Properties.Exploration;

/// <summary>Makes the choices of a step in order, so that one of its ways to go on can be taken again by its number.</summary>
internal sealed class ChoiceReplay : IChooser
{
    private readonly List<(int Made, int Of)> _choices = [];
    private int _next;

    /// <inheritdoc/>
    public int Choose(int count)
    {
        if (count < 2)
            return 0;
        if (_next == _choices.Count)
            _choices.Add((0, count));
        return _choices[_next++].Made;
    }

    /// <summary>From now on the next choices are made. False: all were.</summary>
    public bool Advance()
    {
        _next = 0;
        while (_choices.Count > 0)
        {
            (int made, int of) = _choices[^1];
            _choices.RemoveAt(_choices.Count - 1);
            if (made + 1 == of)
                continue;
            _choices.Add((made + 1, of));
            return true;
        }

        return false;
    }
}
