using System.Buffers.Binary;
using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>Memory as the host wrote it, one 4 KiB frame at a time; 0 where nothing was written.</summary>
internal sealed class HostMemory
{
    private readonly Dictionary<ulong, byte[]> _frames = [];
    private readonly Stack<byte[]> _spare = new();
    private ulong _lastNumber;
    private byte[]? _last;

    public void Reset()
    {
        _last = null;
        foreach (byte[] frame in _frames.Values)
            _spare.Push(frame);
        _frames.Clear();
    }

    public void Write(ulong hpa, ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            int offset = (int)(hpa & (Hpa.PageSize - 1));
            int length = Math.Min(data.Length, Hpa.PageSize - offset);
            data[..length].CopyTo(FrameForWrite(hpa >> Hpa.PageShift).AsSpan(offset));
            data = data[length..];
            hpa += (uint)length;
        }
    }

    public void Read(ulong hpa, Span<byte> data)
    {
        for (int i = 0; i < data.Length; i++)
        {
            ulong address = hpa + (uint)i;
            data[i] = _frames.TryGetValue(address >> Hpa.PageShift, out byte[]? frame)
                ? frame[address & (Hpa.PageSize - 1)]
                : (byte)0;
        }
    }

    public ulong Read(ulong hpa)
    {
        ulong number = hpa >> Hpa.PageShift;
        if (_last is null || _lastNumber != number)
        {
            if (!_frames.TryGetValue(number, out byte[]? frame))
                return 0;
            _last = frame;
            _lastNumber = number;
        }

        return BinaryPrimitives.ReadUInt64LittleEndian(_last.AsSpan((int)(hpa & (Hpa.PageSize - 1))));
    }

    private byte[] FrameForWrite(ulong frameNumber)
    {
        if (!_frames.TryGetValue(frameNumber, out byte[]? frame))
        {
            frame = _spare.Count > 0 ? _spare.Pop() : new byte[Hpa.PageSize];
            Array.Clear(frame);
            _frames.Add(frameNumber, frame);
        }

        return frame;
    }
}
