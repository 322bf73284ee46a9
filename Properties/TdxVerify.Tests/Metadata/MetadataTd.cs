using System.Buffers.Binary;
using TdxVerify.Abi;
using TdxVerify.Model;
using TdxVerify.Reference;
using Xunit;

namespace TdxVerify.Tests.Metadata;

/// <summary>A TD with one vCPU whose metadata can be read: on the model and on the reference, which must answer alike.</summary>
internal sealed class MetadataTd : IDisposable
{
    private const ulong TdParams = 0x10000;
    private const ulong Xfam = 0x3;
    private const ulong MaxVcpus = 3;

    private readonly IPort[] _ports;
    private readonly ulong _base;
    private ulong _nextPage;

    public MetadataTd(bool debug = false, ModuleProfile profile = ModuleProfile.V1_5_01)
    {
        var platform = new PlatformInfo { PageBase = 0x1_0000_0000, PageCount = 4096, Profile = profile };
        _ports = [ModelPorts.Fast(platform), new ReferencePort(platform)];
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

    /// <summary>TDH.MNG.RD: status and value; null where both say that this is out of their scope.</summary>
    public (ulong Status, ulong Value)? ReadTd(ulong field) => Read(HostLeaf.TDH_MNG_RD, Tdr, field);

    /// <summary>TDH.VP.RD, likewise.</summary>
    public (ulong Status, ulong Value)? ReadVcpu(ulong field) => Read(HostLeaf.TDH_VP_RD, Tdvpr, field);

    public void Dispose() => Array.ForEach(_ports, port => port.Dispose());

    private (ulong Status, ulong Value)? Read(HostLeaf leaf, ulong page, ulong field)
    {
        (ulong, ulong)?[] answers = [.. _ports.Select(port => Read(port, leaf, page, field))];
        Assert.All(answers, answer => Assert.Equal(answers[0], answer));
        return answers[0];
    }

    private static (ulong Status, ulong Value)? Read(IPort port, HostLeaf leaf, ulong page, ulong field)
    {
        var registers = new RegisterFile { Rax = (ulong)leaf, Rcx = page, Rdx = field };
        PortResult result = port.Seamcall(0, ref registers);
        Assert.True(result is PortResult.Ok or PortResult.NotSupported, $"{port.Name}: {result}");
        return result == PortResult.Ok ? (registers.Rax, registers.R8) : null;
    }

    private void Call(HostLeaf leaf, ulong rcx, ulong rdx = 0)
    {
        foreach (IPort port in _ports)
        {
            var registers = new RegisterFile { Rax = (ulong)leaf, Rcx = rcx, Rdx = rdx };
            Assert.Equal(PortResult.Ok, port.Seamcall(0, ref registers));
            Assert.Equal("TDX_SUCCESS", new StatusCode(registers.Rax).Name);
        }
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
        Assert.All(_ports, port => Assert.Equal(PortResult.Ok, port.MemoryWrite(TdParams, image)));

        void Put(int offset, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(offset), value);
    }
}
