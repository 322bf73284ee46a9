namespace TdxVerify.Properties.Exploration;

/// <summary>The values that one cell was ever seen to have, numbered from 0, its value at the start.</summary>
internal sealed class ValueTable
{
    private readonly Dictionary<ulong, int> _numbers = [];
    private readonly List<ulong> _values = [];

    public ValueTable(ulong start) => Number(start);

    public int Count => _values.Count;

    public ulong this[int number] => _values[number];

    public int Number(ulong value)
    {
        if (_numbers.TryGetValue(value, out int number))
            return number;
        number = _values.Count;
        _numbers.Add(value, number);
        _values.Add(value);
        return number;
    }
}
