using System.Runtime.InteropServices;
using TdxVerify.Model;

namespace TdxVerify.Properties.Histories;

/// <summary>
/// What a dead end of a search depends on: the cells that decided it, and the calls in flight that used them.
/// </summary>
/// <remarks>
/// Why: a call often fails for what happened long before, and a search that only takes back the last choice first tries
/// everything that lies between, in every order. Followed back along the steps made (<see cref="Follow"/>) the blame takes
/// in every step of its calls and every step that conflicts with what it holds. A step that it does not take in could as
/// well have come later: the same calls would fail in the same way. So only before a step that is at fault another call
/// is tried. That is conflict-directed backjumping, with the order in which steps conflict in the place of constraints.
/// </remarks>
internal sealed class Blame : IEquatable<Blame>
{
    private const int CellsAtOnce = 64;

    // How each cell was used, by its number in the log.
    private byte[] _uses = [];
    private int _calls;

    /// <summary>Nothing is known: any step may be at fault.</summary>
    public bool IsOnAny { get; private set; }

    private ReadOnlySpan<byte> Used => _uses.AsSpan().TrimEnd((byte)0);

    /// <summary>Any step may be at fault.</summary>
    public void BeOnAny()
    {
        Clear();
        IsOnAny = true;
    }

    /// <summary>The call in flight on a processor failed; or the last <see cref="StepLog.Event"/> did not hold.</summary>
    public void BeOn(int lp)
    {
        Clear();
        _calls = 1 << lp;
    }

    /// <summary>The same as another.</summary>
    public void Become(Blame other)
    {
        Clear();
        Add(other);
    }

    /// <summary>Takes in another.</summary>
    public void Add(Blame other)
    {
        if (IsOnAny)
            return;
        if (other.IsOnAny)
        {
            BeOnAny();
            return;
        }

        if (_uses.Length < other._uses.Length)
            Array.Resize(ref _uses, other._uses.Length);
        Span<ulong> mine = MemoryMarshal.Cast<byte, ulong>(_uses.AsSpan());
        ReadOnlySpan<ulong> theirs = MemoryMarshal.Cast<byte, ulong>(other._uses);
        for (int word = 0; word < theirs.Length; word++)
            mine[word] |= theirs[word];
        _calls |= other._calls;
    }

    /// <summary>Follows the steps back to a place in the log; true: the step made there is at fault.</summary>
    public bool Follow(StepLog log, int place)
    {
        if (IsOnAny)
            return true;
        bool isAtFault = false;
        for (int step = log.Count - 1; step >= place; step--)
        {
            HistoryStep made = log[step];
            isAtFault = made.Kind != HistoryStepKind.Begin && ((_calls >> made.Lp & 1) != 0 || ConflictsWith(log, step));
            if (isAtFault)
                Add(log, step);
            if (made.Kind != HistoryStepKind.Step)
                _calls &= ~(1 << made.Lp);
        }

        return isAtFault;
    }

    /// <inheritdoc/>
    public bool Equals(Blame? other) =>
        other is not null && _calls == other._calls && IsOnAny == other.IsOnAny && Used.SequenceEqual(other.Used);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Blame);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.Add(_calls);
        hash.AddBytes(Used);
        return hash.ToHashCode();
    }

    private void Clear()
    {
        _uses.AsSpan().Clear();
        _calls = 0;
        IsOnAny = false;
    }

    private bool ConflictsWith(StepLog log, int step)
    {
        foreach (ref readonly CellAccess access in log.Accesses(step))
        {
            int cell = log.Number(access.Cell);
            if (cell < _uses.Length && ((CellUse)_uses[cell]).ConflictsWith(access.Use))
                return true;
        }

        return false;
    }

    private void Add(StepLog log, int step)
    {
        _calls |= 1 << log[step].Lp;
        foreach (ref readonly CellAccess access in log.Accesses(step))
        {
            int cell = log.Number(access.Cell);
            if (cell >= _uses.Length)
                Array.Resize(ref _uses, (cell + CellsAtOnce) / CellsAtOnce * CellsAtOnce);
            _uses[cell] |= (byte)access.Use;
        }
    }
}
