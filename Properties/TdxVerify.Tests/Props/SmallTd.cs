using System.Buffers.Binary;
using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Properties.Runs;

namespace TdxVerify.Tests.Props;

/// <summary>The events that bring a TD with one vCPU and no memory into being, on a platform without others.</summary>
internal static class SmallTd
{
    /// <summary>Its TDR page.</summary>
    public static ulong Tdr(PlatformInfo platform) => platform.PageBase;

    /// <summary>The TDVPR page of its vCPU.</summary>
    public static ulong Tdvpr(PlatformInfo platform) => Page(platform, platform.TdcsPages + 2);

    /// <summary>The events: creation, key, TDCS pages, TD_PARAMS, the vCPU, and the end of building.</summary>
    public static IEnumerable<PlannedEvent> Run(PlatformInfo platform)
    {
        ulong tdr = Tdr(platform);
        ulong tdvpr = Tdvpr(platform);
        yield return Call(HostLeaf.TDH_MNG_CREATE, tdr, (ulong)platform.HkidFirst);
        yield return Call(HostLeaf.TDH_MNG_KEY_CONFIG, tdr);
        for (int i = 1; i <= platform.TdcsPages; i++)
            yield return Call(HostLeaf.TDH_MNG_ADDCX, Page(platform, i), tdr);
        ulong parameters = Page(platform, platform.TdcsPages + 1);
        yield return new PlannedEvent(TraceEvent.OfWrite(parameters, TdParams()), ChoicePoint.None);
        yield return Call(HostLeaf.TDH_MNG_INIT, tdr, parameters);
        yield return Call(HostLeaf.TDH_VP_CREATE, tdvpr, tdr);
        for (int i = 1; i <= platform.TdvpxPages; i++)
            yield return Call(HostLeaf.TDH_VP_ADDCX, tdvpr + ((ulong)i * Hpa.PageSize), tdvpr);
        yield return Call(HostLeaf.TDH_VP_INIT, tdvpr);
        yield return Call(HostLeaf.TDH_MR_FINALIZE, tdr);
    }

    /// <summary>A SEAMCALL.</summary>
    public static PlannedEvent Call(HostLeaf leaf, ulong rcx, ulong rdx = 0, ulong r8 = 0, int lp = 0)
    {
        var registers = new RegisterFile { Rax = (ulong)leaf, Rcx = rcx, Rdx = rdx, R8 = r8 };
        return new PlannedEvent(TraceEvent.OfSeamcall(lp, registers, registers), ChoicePoint.None);
    }

    private static ulong Page(PlatformInfo platform, int number) => platform.PageBase + ((ulong)number * Hpa.PageSize);

    private static byte[] TdParams()
    {
        var image = new byte[1024];
        BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(8), 3);
        BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(16), 1);
        BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(24), 0x1E);
        BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(40), 40);
        return image;
    }
}
