using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TdxVerify.Abi;

namespace TdxVerify.Reference;

/// <summary>
/// Simulated physical memory: 4 KiB frames of native memory, which come into being when something other than zero is
/// first stored. A frame that does not exist reads as zero. Reset returns all frames to a pool.
/// </summary>
internal sealed unsafe class PhysicalMemory : IDisposable
{
    private const int FramesPerChunk = 64;

    private readonly ulong _firstFrame;
    private readonly ulong _frameCount;
    private readonly byte** _frames;
    private readonly List<nint> _chunks = [];
    private readonly Stack<nint> _pool = new();
    private readonly List<ulong> _present = [];
    private readonly Lock _poolLock = new();

    // Memory outside the TDMR, which the host may use for TD_PARAMS.
    private readonly Dictionary<ulong, byte[]> _outside = [];

    public PhysicalMemory(PlatformInfo platform)
    {
        _firstFrame = platform.PageBase >> Hpa.PageShift;
        _frameCount = (ulong)platform.PageCount;
        _frames = (byte**)NativeMemory.AllocZeroed((nuint)_frameCount, (nuint)sizeof(byte*));
    }

    /// <summary>The frame of a page of the TDMR, or null where it reads as zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte* Find(ulong hpa)
    {
        ulong index = (hpa >> Hpa.PageShift) - _firstFrame;
        return index < _frameCount ? _frames[index] : null;
    }

    /// <summary>A page of the TDMR, all zero.</summary>
    public byte* Zeroed(ulong hpa)
    {
        byte* frame = Materialise(hpa);
        new Span<byte>(frame, Hpa.PageSize).Clear();
        return frame;
    }

    /// <summary>A page of the TDMR, each 64-bit word with this value.</summary>
    public ulong* Filled(ulong hpa, ulong value)
    {
        byte* frame = Materialise(hpa);
        new Span<ulong>(frame, Hpa.PageSize / sizeof(ulong)).Fill(value);
        return (ulong*)frame;
    }

    /// <summary>A page of the TDMR, all of whose words the caller is about to store.</summary>
    public ulong* Table(ulong hpa) => (ulong*)Materialise(hpa);

    /// <summary>Zeroes a page.</summary>
    public void Clear(ulong hpa)
    {
        byte* frame = Find(hpa);
        if (frame != null)
            new Span<byte>(frame, Hpa.PageSize).Clear();
    }

    /// <summary>Copies a page into a page of the TDMR.</summary>
    public void CopyPage(ulong source, ulong target)
    {
        byte* from = Find(source);
        if (from == null && !_outside.ContainsKey(source >> Hpa.PageShift))
            Clear(target);
        else
            Read(source, new Span<byte>(Materialise(target), Hpa.PageSize));
    }

    /// <summary>Reads within one page.</summary>
    public void Read(ulong hpa, Span<byte> data)
    {
        int offset = (int)(hpa & (Hpa.PageSize - 1));
        byte* frame = Find(hpa);
        if (frame != null)
            new ReadOnlySpan<byte>(frame + offset, data.Length).CopyTo(data);
        else if (_outside.Count != 0 && _outside.TryGetValue(hpa >> Hpa.PageShift, out byte[]? page))
            page.AsSpan(offset, data.Length).CopyTo(data);
        else
            data.Clear();
    }

    /// <summary>Writes within one page. Not while a call is in flight.</summary>
    public void Write(ulong hpa, ReadOnlySpan<byte> data)
    {
        int offset = (int)(hpa & (Hpa.PageSize - 1));
        ulong frame = hpa >> Hpa.PageShift;
        if (frame - _firstFrame < _frameCount)
        {
            byte* existing = Find(hpa);
            if (existing == null)
            {
                if (data.IndexOfAnyExcept((byte)0) < 0)
                    return;
                existing = Zeroed(hpa);
            }

            data.CopyTo(new Span<byte>(existing + offset, data.Length));
            return;
        }

        if (!_outside.TryGetValue(frame, out byte[]? page))
            _outside.Add(frame, page = new byte[Hpa.PageSize]);
        data.CopyTo(page.AsSpan(offset));
    }

    /// <summary>All memory reads as zero again.</summary>
    public void Reset()
    {
        foreach (ulong index in _present)
        {
            _pool.Push((nint)_frames[index]);
            _frames[index] = null;
        }

        _present.Clear();
        _outside.Clear();
    }

    public void Dispose()
    {
        foreach (nint chunk in _chunks)
            NativeMemory.AlignedFree((void*)chunk);
        _chunks.Clear();
        NativeMemory.Free(_frames);
    }

    // The caller owns the page (its PAMT entry is held exclusively), so no other processor makes the same frame.
    private byte* Materialise(ulong hpa)
    {
        ulong index = (hpa >> Hpa.PageShift) - _firstFrame;
        byte* frame = _frames[index];
        if (frame != null)
            return frame;
        lock (_poolLock)
        {
            if (_pool.Count == 0)
                AddChunk();
            frame = (byte*)_pool.Pop();
            _present.Add(index);
        }

        _frames[index] = frame;
        return frame;
    }

    private void AddChunk()
    {
        var chunk = (nint)NativeMemory.AlignedAlloc(FramesPerChunk * Hpa.PageSize, Hpa.PageSize);
        _chunks.Add(chunk);
        for (int i = FramesPerChunk - 1; i >= 0; i--)
            _pool.Push(chunk + (i * Hpa.PageSize));
    }
}
