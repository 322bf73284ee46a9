using TdxVerify.Abi;
using Xunit;

namespace TdxVerify.Tests.Reference;

/// <summary>One TD on the reference, and what its host and its vCPUs do.</summary>
internal sealed class ReferenceTd
{
    private readonly ReferenceHost _host;
    private readonly List<ulong> _children = [];
    private readonly List<(ulong Tdvpr, int Lp)> _vcpus = [];

    public ReferenceTd(ReferenceHost host, ulong tdr)
    {
        _host = host;
        Tdr = tdr;
        for (int i = 1; i <= host.Platform.TdcsPages; i++)
            _children.Add(tdr + ((ulong)i * Hpa.PageSize));
    }

    public ulong Tdr { get; }

    public IReadOnlyList<ulong> Children => _children;

    public ulong Tdvpr(int vcpu = 0) => _vcpus[vcpu].Tdvpr;

    public int Lp(int vcpu = 0) => _vcpus[vcpu].Lp;

    public void AddVcpu(int lp) => AddVcpu(lp, _host.Page());

    public void AddVcpu(int lp, ulong tdvpr)
    {
        _host.Succeed(HostLeaf.TDH_VP_CREATE, tdvpr, Tdr);
        _children.Add(tdvpr);
        for (int i = 0; i < _host.Platform.TdvpxPages; i++)
            _host.Succeed(HostLeaf.TDH_VP_ADDCX, Child(), tdvpr);
        _host.Succeed(HostLeaf.TDH_VP_INIT, tdvpr, lp: lp);
        _vcpus.Add((tdvpr, lp));
    }

    public void SeptAdd(ulong gpa, int level) =>
        _host.Succeed(HostLeaf.TDH_MEM_SEPT_ADD, gpa | (uint)level, Tdr, Child());

    public ulong Aug(ulong gpa)
    {
        ulong page = Child();
        _host.Succeed(HostLeaf.TDH_MEM_PAGE_AUG, gpa, Tdr, page);
        return page;
    }

    public ulong Aug2M(ulong gpa)
    {
        ulong page = _host.LargePage();
        _host.Succeed(HostLeaf.TDH_MEM_PAGE_AUG, gpa | SeptLevel.Page2M, Tdr, page);
        return page;
    }

    public StatusCode Block(ulong gpa, int level = 0) => Status(HostLeaf.TDH_MEM_RANGE_BLOCK, gpa | (uint)level, Tdr);

    public StatusCode Unblock(ulong gpa, int level = 0) => Status(HostLeaf.TDH_MEM_RANGE_UNBLOCK, gpa | (uint)level, Tdr);

    public StatusCode Remove(ulong gpa, int level = 0) => Status(HostLeaf.TDH_MEM_PAGE_REMOVE, gpa | (uint)level, Tdr);

    public StatusCode Track() => Status(HostLeaf.TDH_MEM_TRACK, Tdr);

    /// <summary>The state of an entry, as TDH.MEM.SEPT.RD reports it in RDX bits 15:8.</summary>
    public ulong SeptState(ulong gpa, int level = 0) =>
        _host.Succeed(HostLeaf.TDH_MEM_SEPT_RD, gpa | (uint)level, Tdr).Rdx >> 8;

    public ulong Read(ulong field) => _host.Succeed(HostLeaf.TDH_MNG_RD, Tdr, field).R8;

    public void Submit(GuestOperation operation, int vcpu = 0) =>
        Assert.Equal(PortResult.Ok, _host.Port.GuestSubmit(Tdvpr(vcpu), operation));

    /// <summary>A whole TDH.VP.ENTER.</summary>
    public RegisterFile Enter(int vcpu = 0) => _host.Call(HostLeaf.TDH_VP_ENTER, Tdvpr(vcpu), lp: Lp(vcpu));

    public RegisterFile Enter(GuestOperation operation, int vcpu = 0)
    {
        Submit(operation, vcpu);
        return Enter(vcpu);
    }

    /// <summary>The status that a TDCALL returns to the guest, which then leaves by TDG.VP.VMCALL.</summary>
    public StatusCode Tdcall(GuestLeaf leaf, ulong rcx, int vcpu = 0)
    {
        RegisterFile exit = Enter(Guest.Tdcall(leaf, rcx), vcpu);
        Assert.Equal(Guest.VmcallExit, exit.Rax);
        return new StatusCode(Result(vcpu).Registers.Rax);
    }

    public GuestResult Result(int vcpu = 0)
    {
        Assert.Equal(PortResult.Ok, _host.Port.GuestResult(Tdvpr(vcpu), out GuestResult result));
        return result;
    }

    public void BeginEnter(int vcpu = 0)
    {
        var registers = new RegisterFile { Rcx = Tdvpr(vcpu) };
        Assert.Equal(PortResult.Ok, _host.Port.EnterBegin(Lp(vcpu), ref registers, out bool running));
        Assert.True(running, new StatusCode(registers.Rax).Name);
    }

    public RegisterFile EndEnter(int vcpu = 0)
    {
        RegisterFile registers = default;
        Assert.Equal(PortResult.Ok, _host.Port.EnterEnd(Lp(vcpu), ref registers));
        return registers;
    }

    /// <summary>Flushes the vCPUs, gives back the key and reclaims every page, the TDR last.</summary>
    public void TearDown()
    {
        foreach ((ulong tdvpr, int lp) in _vcpus)
            _host.Succeed(HostLeaf.TDH_VP_FLUSH, tdvpr, lp: lp);
        _host.Succeed(HostLeaf.TDH_MNG_VPFLUSHDONE, Tdr);
        _host.Succeed(HostLeaf.TDH_PHYMEM_CACHE_WB, 0);
        _host.Succeed(HostLeaf.TDH_MNG_KEY_FREEID, Tdr);
        foreach (ulong page in _children)
            _host.Succeed(HostLeaf.TDH_PHYMEM_PAGE_RECLAIM, page);
        _host.Succeed(HostLeaf.TDH_PHYMEM_PAGE_RECLAIM, Tdr);
    }

    private ulong Child()
    {
        ulong page = _host.Page();
        _children.Add(page);
        return page;
    }

    private StatusCode Status(HostLeaf leaf, ulong rcx, ulong rdx = 0) => new(_host.Call(leaf, rcx, rdx).Rax);
}

/// <summary>What vCPUs do.</summary>
internal static class Guest
{
    public const ulong VmcallExit = 77;
    public const ulong EptViolationExit = 48;
    public const ulong InterruptExit = 1;

    public static GuestOperation Access(ulong gpa, ulong rip = 0x1000, GuestAccess access = GuestAccess.Read) =>
        new() { Kind = GuestOperationKind.Access, Access = access, Gpa = gpa, Rip = rip };

    public static GuestOperation Tdcall(GuestLeaf leaf, ulong rcx, ulong rip = 0x2000) => new()
    {
        Kind = GuestOperationKind.Tdcall,
        Rip = rip,
        Registers = new RegisterFile { Rax = (ulong)leaf, Rcx = rcx },
    };

    public static GuestOperation Accept(ulong gpa, int level = 0) =>
        Tdcall(GuestLeaf.TDG_MEM_PAGE_ACCEPT, gpa | (uint)level);
}
