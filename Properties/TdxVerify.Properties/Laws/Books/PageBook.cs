using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Properties.Laws.Books;

/// <summary>
/// A value for each PAMT entry of each size. Blocks of 512 come into being when they are first written; a reset clears
/// only those written since the last one.
/// </summary>
internal sealed class PageBook<T>
    where T : struct
{
    private const int BlockShift = 9;
    private const int BlockSize = 1 << BlockShift;

    private readonly List<int> _written = [];
    private readonly int[] _count = new int[3];
    private readonly int[] _start = new int[3];
    private T[]?[] _blocks = [];
    private bool[] _isWritten = [];
    private T _outside;

    /// <summary>Takes the size of the platform; from then on the book can be used.</summary>
    public void Fit(PlatformInfo platform)
    {
        int position = 0;
        for (int size = 0; size <= 2; size++)
        {
            _start[size] = position;
            _count[size] = (int)((platform.PageCount - 1) >> (BlockShift * size)) + 1;
            position += (_count[size] + BlockSize - 1) & ~(BlockSize - 1);
        }

        _blocks = new T[]?[position >> BlockShift];
        _isWritten = new bool[_blocks.Length];
        _written.Clear();
    }

    /// <summary>The entry is one of the platform.</summary>
    public bool Contains(PamtRef at) => (uint)at.Size <= 2 && (uint)at.Index < (uint)_count[at.Size];

    /// <summary>The value; that of a new book where nothing was written.</summary>
    public T Read(PamtRef at)
    {
        if (!Contains(at))
            return default;
        int position = _start[at.Size] + at.Index;
        return _blocks[position >> BlockShift] is { } block ? block[position & (BlockSize - 1)] : default;
    }

    /// <summary>The value, to be written. What a faulty model places outside the platform is not kept.</summary>
    public ref T At(PamtRef at)
    {
        if (!Contains(at))
        {
            _outside = default;
            return ref _outside;
        }

        int position = _start[at.Size] + at.Index;
        int block = position >> BlockShift;
        if (!_isWritten[block])
        {
            _isWritten[block] = true;
            _written.Add(block);
            _blocks[block] ??= new T[BlockSize];
        }

        return ref _blocks[block]![position & (BlockSize - 1)];
    }

    /// <summary>A new book.</summary>
    public void Reset()
    {
        foreach (int block in _written)
        {
            Array.Clear(_blocks[block]!);
            _isWritten[block] = false;
        }

        _written.Clear();
    }
}
