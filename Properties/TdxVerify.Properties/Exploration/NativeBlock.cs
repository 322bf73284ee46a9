using System.Runtime.InteropServices;

namespace TdxVerify.Properties.Exploration;

/// <summary>Zeroed memory outside the garbage-collected heap, in huge pages where the system has them.</summary>
internal sealed unsafe partial class NativeBlock : IDisposable
{
    private const nuint HugePage = 2 << 20;
    private const int AdviseHugePages = 14;

    public NativeBlock(long bytes)
    {
        Bytes = bytes;
        bool large = bytes >= (long)HugePage;
        Pointer = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, large ? HugePage : 64);

        // Touching pages for the first time is most of what the system does for a search: 512 times fewer are touched so.
        if (large && OperatingSystem.IsLinux())
            _ = Advise(Pointer, (nuint)bytes, AdviseHugePages);
        NativeMemory.Clear(Pointer, (nuint)bytes);
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
        NativeMemory.AlignedFree(Pointer);
        Pointer = null;
        GC.RemoveMemoryPressure(Bytes);
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int Advise(byte* start, nuint length, int advice);
}
