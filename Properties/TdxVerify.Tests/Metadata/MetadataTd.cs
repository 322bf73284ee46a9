using System.Buffers.Binary;
using TdxVerify.Abi;
using TdxVerify.Model;
using Xunit;

namespace TdxVerify.Tests.Metadata;

/// <summary>A TD with one vCPU on the model, whose metadata can be read.</summary>
internal sealed class MetadataTd
{
    private const ulong TdParams = 0x10000;
    private const ulong Xfam = 0x7;
    private const ulong MaxVcpus = 3;

    private readonly ModelPort<ArraysState> _port;
    private readonly ulong _base;
    private ulong _nextPage;

    public MetadataTd(bool debug = false, ModuleProfile profile = ModuleProfile.V1_5_01)
    {
        var platform = new PlatformInfo { PageBase = 0x1_0000_0000, PageCount = 4096, Profile = profile };
        _port = ModelPorts.Fast(platform);
        _base = platform.PageBase;
        Hkid = (ulong)platform.HkidFirst + 1;

        Tdr = NewPage();
        Call(HostLeaf.TDH_MNG_CREATE, Tdr, Hkid);
        Call(HostLeaf.TDH_MNG_KEY_CONFIG, Tdr);
        ulong[] tdcs = [.. Enumerable.Range(0, 6).Select(_ => NewPage())];
        foreach (ulong page in tdcs)
            Call(HostLeaf.TDH_MNG_ADDCX, page, Tdr);
        RootPage = tdcs[3];
        WriteParams(debug);
        Call(HostLeaf.TDH_MNG_INIT, Tdr, TdParams);
        Tdvpr = NewPage();
        Call(HostLeaf.TDH_VP_CREATE, Tdvpr, Tdr);
        for (int i = 0; i < 5; i++)
            Call(HostLeaf.TDH_VP_ADDCX, NewPage(), Tdvpr);
        Call(HostLeaf.TDH_VP_INIT, Tdvpr);
    }

    public ulong Hkid { get; }

    public ulong Tdr { get; }

    public ulong Tdvpr { get; }

    public ulong RootPage { get; }

    /// <summary>TDH.MNG.RD: status and value; null where the model says that this is out of its scope.</summary>
    public (ulong Status, ulong Value)? ReadTd(ulong field) => Read(HostLeaf.TDH_MNG_RD, Tdr, field);

    /// <summary>TDH.VP.RD, likewise.</summary>
    public (ulong Status, ulong Value)? ReadVcpu(ulong field) => Read(HostLeaf.TDH_VP_RD, Tdvpr, field);

    private (ulong Status, ulong Value)? Read(HostLeaf leaf, ulong page, ulong field)
    {
        var registers = new RegisterFile { Rax = (ulong)leaf, Rcx = page, Rdx = field };
        PortResult result = _port.Seamcall(0, ref registers);
        Assert.True(result is PortResult.Ok or PortResult.NotSupported, $"{result}");
        return result == PortResult.Ok ? (registers.Rax, registers.R8) : null;
    }

    private void Call(HostLeaf leaf, ulong rcx, ulong rdx = 0)
    {
        var registers = new RegisterFile { Rax = (ulong)leaf, Rcx = rcx, Rdx = rdx };
        Assert.Equal(PortResult.Ok, _port.Seamcall(0, ref registers));
        Assert.Equal("TDX_SUCCESS", new StatusCode(registers.Rax).Name);
    }

    private ulong NewPage() => _base + (_nextPage++ << Hpa.PageShift);

    private void WriteParams(bool debug)
    {
        var image = new byte[1024];
        Put(0, debug ? 1UL : 0);
        Put(8, Xfam);
        Put(16, MaxVcpus);
        Put(24, 0x26);
        Put(32, 1);
        Put(40, 40);
        Assert.Equal(PortResult.Ok, _port.MemoryWrite(TdParams, image));

        void Put(int offset, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(offset), value);
    }
}
