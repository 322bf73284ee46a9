namespace TdxVerify.Properties.Exploration;

/// <summary>The states that one worker found, in the order in which it found them, each with the state it was reached from.</summary>
internal sealed unsafe class StateStore(int words) : IDisposable
{
    private const int ChunkBits = 18;
    private const int ChunkMask = (1 << ChunkBits) - 1;

    private readonly List<NativeBlock> _blocks = [];
    private nint[] _chunks = new nint[64];

    /// <summary>States.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes that they take. Memory that was not written yet takes none.</summary>
    public long Bytes => (long)Count * StateBytes;

    /// <summary>The words of a state; of the one after the last: where the next is written.</summary>
    public ulong* this[int index] => Chunk(index) + ((index & ChunkMask) * words);

    /// <summary>The state that a state was reached from.</summary>
    public uint Parent(int index) => Parents(index)[index & ChunkMask];

    /// <summary>Makes room for one more.</summary>
    public ulong* Next()
    {
        if ((Count & ChunkMask) == 0 && Count >> ChunkBits == _blocks.Count)
        {
            var block = new NativeBlock((long)StateBytes << ChunkBits);
            _blocks.Add(block);
            int chunk = Count >> ChunkBits;
            if (chunk == _chunks.Length)
            {
                nint[] chunks = new nint[2 * chunk];
                _chunks.CopyTo(chunks, 0);
                Volatile.Write(ref _chunks, chunks);
            }

            _chunks[chunk] = (nint)block.Pointer;
        }

        return this[Count];
    }

    /// <summary>What was written at <see cref="Next"/> counts.</summary>
    public void Commit(uint parent)
    {
        Parents(Count)[Count & ChunkMask] = parent;
        Count++;
    }

    public void Dispose()
    {
        foreach (NativeBlock block in _blocks)
            block.Dispose();
    }

    private int StateBytes => (words * sizeof(ulong)) + sizeof(uint);

    private ulong* Chunk(int index) => (ulong*)_chunks[index >> ChunkBits];

    private uint* Parents(int index) => (uint*)(Chunk(index) + ((long)words << ChunkBits));
}
