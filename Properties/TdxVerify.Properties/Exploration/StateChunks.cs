namespace TdxVerify.Properties.Exploration;

/// <summary>Where states are: in chunks of memory, the states first, then the state that each was reached from.</summary>
/// <remarks>
/// Why apart from <see cref="StateStore"/>: each worker looks at the states of all others. What it reads for that must
/// not be in one cache line with what they write all the time, which is how many there are.
/// </remarks>
internal sealed unsafe class StateChunks : IDisposable
{
    /// <summary>A chunk has room for 2 to this power states.</summary>
    public const int IndexBits = 18;

    private const uint IndexMask = (1 << IndexBits) - 1;

    private readonly uint _words;
    private readonly NativeBlock _directory;
    private readonly ulong** _chunks;

    /// <summary>No states yet.</summary>
    /// <param name="words">Words of a state.</param>
    public StateChunks(int words)
    {
        _words = (uint)words;
        _directory = new NativeBlock(sizeof(ulong*) * ((uint.MaxValue >> IndexBits) + 1L));
        _chunks = (ulong**)_directory.Pointer;
    }

    /// <summary>The words of a state.</summary>
    public ulong* this[StateId id] => _chunks[id.Value >> IndexBits] + ((id.Value & IndexMask) * _words);

    /// <summary>The state that a state was reached from.</summary>
    public ref uint Parent(StateId id) => ref *((uint*)(_chunks[id.Value >> IndexBits] + ((ulong)_words << IndexBits)) + (id.Value & IndexMask));

    /// <summary>The memory for a state and those after it.</summary>
    public void Enter(StateId first, NativeBlock block) => _chunks[first.Value >> IndexBits] = (ulong*)block.Pointer;

    public void Dispose() => _directory.Dispose();
}
