using System.Runtime.InteropServices;

namespace TdxVerify.Properties.Exploration;

/// <summary>Memory outside the garbage-collected heap, in huge pages where the system has them; zeros at first.</summary>
/// <remarks>
/// Why not from the allocator: it keeps what is given back, clears what it hands out again, and begins where no huge
/// page does; touching small pages for the first time is most of what the system does for a search.
/// </remarks>
internal sealed unsafe partial class NativeBlock : IDisposable
{
    private const nuint HugePage = 2 << 20;
    private const int AdviseHugePages = 14;
    private const int ReadWrite = 1 | 2;
    private const int PrivateAnonymousUnreserved = 0x2 | 0x20 | 0x4000;

    private readonly byte* _mapped;
    private readonly nuint _length;

    public NativeBlock(long bytes)
    {
        Bytes = bytes;
        if (!OperatingSystem.IsLinux())
        {
            Pointer = _mapped = (byte*)NativeMemory.AllocZeroed((nuint)bytes);
        }
        else
        {
            bool isLarge = (nuint)bytes >= HugePage;
            _length = (nuint)bytes + (isLarge ? HugePage : 0);
            _mapped = Map(null, _length, ReadWrite, PrivateAnonymousUnreserved, -1, 0);
            if (_mapped == (byte*)-1)
                throw new InsufficientMemoryException($"the system gives no {bytes} bytes more");
            Pointer = _mapped;
            if (isLarge)
            {
                Pointer = (byte*)(((nuint)_mapped + HugePage - 1) & ~(HugePage - 1));
                _ = Advise(Pointer, (nuint)bytes, AdviseHugePages);
            }
        }

        GC.AddMemoryPressure(bytes);
    }

    ~NativeBlock() => Free();

    public long Bytes { get; }

    public byte* Pointer { get; private set; }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (Pointer == null)
            return;
        Pointer = null;
        if (OperatingSystem.IsLinux())
            _ = Unmap(_mapped, _length);
        else
            NativeMemory.Free(_mapped);
        GC.RemoveMemoryPressure(Bytes);
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial byte* Map(byte* start, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int Unmap(byte* start, nuint length);

    [LibraryImport("libc", EntryPoint = "madvise")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int Advise(byte* start, nuint length, int advice);
}
