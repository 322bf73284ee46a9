using System.Buffers.Binary;
using TdxVerify.Abi;
using TdxVerify.Reference;
using Xunit;

namespace TdxVerify.Tests.Reference;

/// <summary>A host on the reference: hands out pages, makes calls, builds TDs.</summary>
internal sealed class ReferenceHost : IDisposable
{
    public const ulong SeptVeDisable = 1UL << 28;

    // 2 MiB, from which large pages can be taken; below it come single pages.
    private const ulong LargeArea = 0x100_0000;

    private ulong _nextPage;
    private ulong _nextLargePage;
    private int _nextHkid;

    public ReferenceHost(ModuleProfile profile = ModuleProfile.V1_5_01)
    {
        Platform = new PlatformInfo { PageCount = 0x4000, Profile = profile };
        Port = new ReferencePort(Platform);
        Start();
    }

    public PlatformInfo Platform { get; }

    public ReferencePort Port { get; }

    public void Reset()
    {
        Assert.Equal(PortResult.Ok, Port.Reset());
        Start();
    }

    public ulong Page()
    {
        ulong page = _nextPage;
        _nextPage += Hpa.PageSize;
        return page;
    }

    public ulong LargePage()
    {
        ulong page = _nextLargePage;
        _nextLargePage += SeptLevel.Size(SeptLevel.Page2M);
        return page;
    }

    public RegisterFile Call(HostLeaf leaf, ulong rcx, ulong rdx = 0, ulong r8 = 0, ulong r9 = 0, int lp = 0)
    {
        var registers = new RegisterFile { Rax = (ulong)leaf, Rcx = rcx, Rdx = rdx, R8 = r8, R9 = r9 };
        Assert.Equal(PortResult.Ok, Port.Seamcall(lp, ref registers));
        return registers;
    }

    public RegisterFile Succeed(HostLeaf leaf, ulong rcx, ulong rdx = 0, ulong r8 = 0, ulong r9 = 0, int lp = 0)
    {
        RegisterFile registers = Call(leaf, rcx, rdx, r8, r9, lp);
        Assert.Equal("TDX_SUCCESS", new StatusCode(registers.Rax).Name);
        return registers;
    }

    public bool Lock(PortLock which, ulong argument, bool exclusive = true, bool guest = false, ulong argument2 = 0)
    {
        PortResult result = Port.Lock(new LockOperation(which, exclusive, guest, argument, argument2));
        Assert.True(result is PortResult.Ok or PortResult.Busy, result.ToString());
        return result == PortResult.Ok;
    }

    public void Unlock(PortLock which, ulong argument, bool exclusive = true, bool guest = false, ulong argument2 = 0) =>
        Assert.Equal(PortResult.Ok, Port.Unlock(new LockOperation(which, exclusive, guest, argument, argument2)));

    /// <summary>A TD with its key and TDCS, initialised.</summary>
    public ReferenceTd Initialise(ulong attributes = 0)
    {
        ulong tdr = Page();
        Succeed(HostLeaf.TDH_MNG_CREATE, tdr, (ulong)_nextHkid++);
        Succeed(HostLeaf.TDH_MNG_KEY_CONFIG, tdr);
        for (int i = 0; i < Platform.TdcsPages; i++)
            Succeed(HostLeaf.TDH_MNG_ADDCX, Page(), tdr);
        Succeed(HostLeaf.TDH_MNG_INIT, tdr, WriteTdParams(attributes));
        return new ReferenceTd(this, tdr);
    }

    /// <summary>A TD that runs: S-EPT pages for the first 2 MiB, and vCPUs on the processors from 1 on.</summary>
    public ReferenceTd Run(int vcpus = 1, ulong attributes = 0)
    {
        ReferenceTd td = Initialise(attributes);
        for (int level = SeptLevel.Pml4; level > SeptLevel.Page4K; level--)
            td.SeptAdd(0, level);
        for (int i = 0; i < vcpus; i++)
            td.AddVcpu(lp: i + 1);
        Succeed(HostLeaf.TDH_MR_FINALIZE, td.Tdr);
        return td;
    }

    public void Dispose() => Port.Dispose();

    private void Start()
    {
        _nextPage = Platform.PageBase;
        _nextLargePage = Platform.PageBase + LargeArea;
        _nextHkid = Platform.HkidFirst;
    }

    private ulong WriteTdParams(ulong attributes)
    {
        ulong page = Page();
        Span<byte> parameters = stackalloc byte[48];
        parameters.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(parameters, attributes);
        BinaryPrimitives.WriteUInt64LittleEndian(parameters[8..], 3);
        BinaryPrimitives.WriteUInt16LittleEndian(parameters[16..], 8);
        BinaryPrimitives.WriteUInt64LittleEndian(parameters[24..], 0x1E);
        BinaryPrimitives.WriteUInt16LittleEndian(parameters[40..], 40);
        Assert.Equal(PortResult.Ok, Port.MemoryWrite(page, parameters));
        return page;
    }
}
