using System.Runtime.InteropServices;

namespace TdxVerify.Properties.Exploration;

/// <summary>Memory outside the garbage-collected heap, in huge pages where the system has them; zeros at first.</summary>
internal sealed unsafe partial class NativeBlock : IDisposable
{
    private const nuint HugePage = 2 << 20;
    private const int AdviseHugePages = 14;

    public NativeBlock(long bytes)
    {
        Bytes = bytes;
        Pointer = (byte*)NativeMemory.AllocZeroed((nuint)bytes);
        GC.AddMemoryPressure(bytes);

        // Touching pages for the first time is most of what the system does for a search: 512 times fewer are touched so.
        nuint start = ((nuint)Pointer + HugePage - 1) & ~(HugePage - 1);
        nuint end = ((nuint)Pointer + (nuint)bytes) & ~(HugePage - 1);
        if (OperatingSystem.IsLinux() && start < end)
            _ = Advise((byte*)start, end - start, AdviseHugePages);
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
        NativeMemory.Free(Pointer);
        Pointer = null;
        GC.RemoveMemoryPressure(Bytes);
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int Advise(byte* start, nuint length, int advice);
}
