using TdxVerify.Abi;

namespace TdxVerify.Reference;

/// <summary>State of a private key id (facts/op-states.csv).</summary>
internal enum HkidState : byte
{
    Free = 0,
    Assigned = 1,
    Flushed = 2,
    Reserved = 3,
}

/// <summary>The KOT: who uses which key id, and which packages have still to write back their caches for it.</summary>
internal sealed class KeyOwnershipTable
{
    private readonly PlatformInfo _platform;
    private readonly HkidState[] _states;
    private readonly uint[] _writeBackBitmap;

    public ushort Lock;

    public KeyOwnershipTable(PlatformInfo platform)
    {
        _platform = platform;
        _states = new HkidState[platform.HkidFirst + platform.HkidCount];
        _writeBackBitmap = new uint[_states.Length];
        Reset();
    }

    public int HkidLimit => _states.Length;

    public bool IsPrivate(ulong hkid) => hkid >= (ulong)_platform.PrivateHkidFirst && hkid < (ulong)_states.Length;

    public HkidState this[int hkid]
    {
        get => _states[hkid];
        set => _states[hkid] = value;
    }

    public uint WriteBackBitmap(int hkid) => Volatile.Read(ref _writeBackBitmap[hkid]);

    public void RequestWriteBack(int hkid, int packages) => _writeBackBitmap[hkid] = (uint)((1UL << packages) - 1);

    /// <summary>Another package may do the same for its bit at the same time.</summary>
    public void WriteBackDone(int hkid, int package) => Interlocked.And(ref _writeBackBitmap[hkid], ~(1u << package));

    public void Reset()
    {
        Array.Clear(_states);
        Array.Clear(_writeBackBitmap);
        _states.AsSpan(_platform.PrivateHkidFirst, _platform.HkidFirst - _platform.PrivateHkidFirst).Fill(HkidState.Reserved);
        Lock = 0;
    }
}
