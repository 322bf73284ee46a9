using System.Runtime.InteropServices;
using TdxVerify.Model;

namespace TdxVerify.Properties.Exploration;

/// <summary>What came of one step, besides the state.</summary>
/// <param name="Agent">Who made it.</param>
/// <param name="Traits">What else is to be known about it.</param>
/// <param name="Choice">Which of its ways to go on, counted from 0.</param>
/// <param name="Parent">The place of the state that it started from in the block that is expanded.</param>
/// <param name="Attempt">The attempt that it belongs to.</param>
/// <param name="Events">Events that it reported.</param>
internal readonly record struct Transition(byte Agent, StepTraits Traits, int Choice, int Parent, int Attempt, ulong Events);

/// <summary>The states that follow from a block of states, with how.</summary>
internal sealed unsafe class Successors : IDisposable
{
    private Transition[] _transitions = new Transition[256];
    private ulong[] _hashes = new ulong[256];
    private ulong* _words;
    private OwnLine _count;

    public Successors(int words)
    {
        Words = words;
        _words = (ulong*)NativeMemory.Alloc((nuint)(_transitions.Length * words), sizeof(ulong));
    }

    /// <summary>Words of a state.</summary>
    public int Words { get; }

    public int Count => (int)_count.Value;

    public ulong* this[int i] => _words + (i * Words);

    public ref readonly Transition Transition(int i) => ref _transitions[i];

    /// <summary>The hash of a state, to be set by who looks it up.</summary>
    public ref ulong Hash(int i) => ref _hashes[i];

    public void Clear() => _count.Value = 0;

    /// <summary>Drops the last ones.</summary>
    public void Truncate(int count) => _count.Value = count;

    /// <summary>Of those from a place on only some stay.</summary>
    public void KeepOnly(int from, int first, int count)
    {
        for (int i = 0; i < count; i++)
        {
            _transitions[from + i] = _transitions[first + i];
            for (int word = 0; word < Words; word++)
                this[from + i][word] = this[first + i][word];
        }

        _count.Value = from + count;
    }

    /// <summary>A copy of a state, to be changed.</summary>
    public ulong* Add(ulong* state, in Transition transition)
    {
        if (Count == _transitions.Length)
        {
            Array.Resize(ref _transitions, 2 * Count);
            Array.Resize(ref _hashes, 2 * Count);
            _words = (ulong*)NativeMemory.Realloc(_words, (nuint)(_transitions.Length * Words * sizeof(ulong)));
        }

        _transitions[Count] = transition;
        ulong* copy = _words + (_count.Value++ * Words);
        for (int i = 0; i < Words; i++)
            copy[i] = state[i];
        return copy;
    }

    public void Dispose()
    {
        NativeMemory.Free(_words);
        _words = null;
        GC.SuppressFinalize(this);
    }

    ~Successors() => NativeMemory.Free(_words);
}
