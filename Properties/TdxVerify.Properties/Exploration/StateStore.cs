namespace TdxVerify.Properties.Exploration;

/// <summary>The states that one worker found, in the order in which it found them, each with the state it was reached from.</summary>
/// <param name="words">Words of a state.</param>
/// <param name="worker">The worker.</param>
/// <param name="chunks">Where the states of all workers are; the store enters its own.</param>
internal sealed unsafe class StateStore(int words, int worker, StateChunks chunks) : IDisposable
{
    private readonly List<NativeBlock> _blocks = [];
    private OwnLine _count;

    /// <summary>States.</summary>
    public int Count => (int)_count.Value;

    /// <summary>Bytes that they take. Memory that was not written yet takes none.</summary>
    public long Bytes => (long)Count * StateBytes;

    /// <summary>Makes room for one more: where it is written, so that it can be published before it counts.</summary>
    public ulong* Next()
    {
        var id = new StateId(worker, Count);
        if (Count >> StateChunks.IndexBits == _blocks.Count)
        {
            var block = new NativeBlock((long)StateBytes << StateChunks.IndexBits);
            _blocks.Add(block);
            chunks.Enter(id, block);
        }

        return chunks[id];
    }

    /// <summary>What was written at <see cref="Next"/> counts.</summary>
    public void Commit(StateId parent)
    {
        chunks.Parent(new StateId(worker, Count)) = parent.Value;
        _count.Value++;
    }

    public void Dispose()
    {
        foreach (NativeBlock block in _blocks)
            block.Dispose();
    }

    private int StateBytes => (words * sizeof(ulong)) + sizeof(uint);
}
