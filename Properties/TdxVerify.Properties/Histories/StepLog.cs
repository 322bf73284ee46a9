using TdxVerify.Model;

namespace TdxVerify.Properties.Histories;

/// <summary>
/// The way from the start of a history to where a search is, step by step, and what each step read and wrote. Where the
/// history is explained it is the interleaving that explains it.
/// </summary>
internal sealed class StepLog
{
    /// <summary>In the place of a processor: an event between calls.</summary>
    public const int Event = 31;

    private readonly Dictionary<Cell, int> _numbers = [];
    private (HistoryStep Step, int Accesses)[] _steps = new (HistoryStep, int)[1024];
    private CellAccess[] _accesses = new CellAccess[4096];
    private int _accessCount;

    /// <summary>How many steps there are.</summary>
    public int Count { get; private set; }

    /// <summary>All of them.</summary>
    public IEnumerable<HistoryStep> Steps => _steps.Take(Count).Select(each => each.Step);

    /// <summary>One step.</summary>
    public HistoryStep this[int step] => _steps[step].Step;

    /// <summary>What a step read and wrote.</summary>
    public ReadOnlySpan<CellAccess> Accesses(int step) =>
        _accesses.AsSpan(_steps[step].Accesses..(step + 1 < Count ? _steps[step + 1].Accesses : _accessCount));

    /// <summary>The number of a cell: the first that was asked for is 0.</summary>
    public int Number(Cell cell)
    {
        if (!_numbers.TryGetValue(cell, out int number))
            _numbers.Add(cell, number = _numbers.Count);
        return number;
    }

    /// <summary>Adds a step.</summary>
    public void Add(HistoryStep step, ReadOnlySpan<CellAccess> accesses = default)
    {
        if (Count == _steps.Length)
            Array.Resize(ref _steps, 2 * Count);
        _steps[Count++] = (step, _accessCount);
        if (_accesses.Length < _accessCount + accesses.Length)
            Array.Resize(ref _accesses, 2 * _accesses.Length);
        accesses.CopyTo(_accesses.AsSpan(_accessCount));
        _accessCount += accesses.Length;
    }

    /// <summary>Back to where there were so many steps.</summary>
    public void Cut(int count)
    {
        if (count < Count)
            _accessCount = _steps[count].Accesses;
        Count = count;
    }
}
