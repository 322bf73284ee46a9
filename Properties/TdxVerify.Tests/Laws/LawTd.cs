using System.Buffers.Binary;
using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Laws;
using TdxVerify.Properties.Runs;
using Xunit;

namespace TdxVerify.Tests.Laws;

/// <summary>A RUNNABLE TD on the model with one vCPU and some 4 KiB pages, every call of which is under laws.</summary>
internal sealed class LawTd
{
    /// <summary>A GPA at which nothing is mapped.</summary>
    public const ulong Unmapped = 0x10_0000;

    private const ulong FirstGpa = 0x1000;
    private readonly EventRunner _events;
    private readonly int _pages;
    private ulong _next;

    public LawTd(IReadOnlyList<Law> laws, int pages)
    {
        var platform = new PlatformInfo();
        _events = new EventRunner(ModelPorts.Observed(platform), null, laws);
        _events.Reset();
        _next = platform.PageBase;
        _pages = pages;
        Tdr = Page();
        Succeed(HostLeaf.TDH_MNG_CREATE, Tdr, (ulong)platform.HkidFirst);
        Succeed(HostLeaf.TDH_MNG_KEY_CONFIG, Tdr);
        for (int i = 0; i < platform.TdcsPages; i++)
            Succeed(HostLeaf.TDH_MNG_ADDCX, Page(), Tdr);
        ulong parameters = Page();
        Step(TraceEvent.OfWrite(parameters, Parameters()));
        Succeed(HostLeaf.TDH_MNG_INIT, Tdr, parameters);
        Tdvpr = Page();
        Succeed(HostLeaf.TDH_VP_CREATE, Tdvpr, Tdr);
        for (int i = 0; i < platform.TdvpxPages; i++)
            Succeed(HostLeaf.TDH_VP_ADDCX, Page(), Tdvpr);
        Succeed(HostLeaf.TDH_VP_INIT, Tdvpr);
        for (int level = SeptLevel.Pml4; level >= SeptLevel.Page2M; level--)
            Succeed(HostLeaf.TDH_MEM_SEPT_ADD, (uint)level, Tdr, Page());
        for (int page = 0; page < pages; page++)
            Succeed(HostLeaf.TDH_MEM_PAGE_ADD, GpaOf(page), Tdr, Page(), parameters);
        Succeed(HostLeaf.TDH_MR_FINALIZE, Tdr);
    }

    /// <summary>HPA of the TDR page.</summary>
    public ulong Tdr { get; }

    /// <summary>HPA of the TDVPR page.</summary>
    public ulong Tdvpr { get; }

    /// <summary>HPA of the first page that was not used yet.</summary>
    public ulong NextPage => _next;

    /// <summary>Blocks all pages and makes them ready to be unblocked.</summary>
    public void BlockAll()
    {
        for (int page = 0; page < _pages; page++)
            Succeed(HostLeaf.TDH_MEM_RANGE_BLOCK, GpaOf(page), Tdr);
        Succeed(HostLeaf.TDH_MEM_TRACK, Tdr);
    }

    public void Unblock(int page) => Succeed(HostLeaf.TDH_MEM_RANGE_UNBLOCK, GpaOf(page), Tdr);

    /// <summary>The guest reads a page; what TDH.VP.ENTER returns.</summary>
    public RegisterFile Access(ulong rip, int page) =>
        Run(new GuestOperation { Kind = GuestOperationKind.Access, Access = GuestAccess.Read, Rip = rip, Gpa = GpaOf(page) });

    /// <summary>The guest accepts a page; what TDH.VP.ENTER returns.</summary>
    public RegisterFile Accept(ulong rip, ulong gpa) => Run(new GuestOperation
    {
        Kind = GuestOperationKind.Tdcall, Rip = rip, Registers = new RegisterFile { Rax = (ulong)GuestLeaf.TDG_MEM_PAGE_ACCEPT, Rcx = gpa },
    });

    /// <summary>The vCPU is entered on LP 1 and stays in the guest.</summary>
    public void Enter()
    {
        if (Vcpu(VcpuField.AssociatedLp) == 1)
            Succeed(HostLeaf.TDH_VP_FLUSH, Tdvpr);
        Step(TraceEvent.OfEnter(1, new RegisterFile { Rax = (ulong)HostLeaf.TDH_VP_ENTER, Rcx = Tdvpr }));
        Assert.True(_events.Last.Running);
    }

    /// <summary>It leaves.</summary>
    public void Exit() => Step(TraceEvent.OfExit(1, default, default));

    public ulong Vcpu(VcpuField field)
    {
        ref ObservedState s = ref _events.Model.Machine.State;
        return s.Vcpu(s.Holder((int)((Tdvpr - s.Platform.PageBase) >> Hpa.PageShift)), field);
    }

    /// <summary>How often a law met a case.</summary>
    public long Times(string law, string occurred) =>
        _events.Laws.Single(l => l.Name == law).Sometimes.Single(c => c.Case == occurred).Count;

    /// <summary>The GPA of one of the pages.</summary>
    public static ulong GpaOf(int page) => FirstGpa + ((ulong)page * Hpa.PageSize);

    private static byte[] Parameters()
    {
        var image = new byte[1024];
        foreach ((int offset, ulong value) in new (int, ulong)[] { (8, 3), (16, 8), (24, 0x1E), (40, 40) })
            BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(offset), value);
        return image;
    }

    /// <summary>A page that was not used yet.</summary>
    public ulong Page()
    {
        ulong page = _next;
        _next += Hpa.PageSize;
        return page;
    }

    private RegisterFile Run(GuestOperation operation)
    {
        Step(TraceEvent.OfGuest(Tdvpr, operation));
        return Call(HostLeaf.TDH_VP_ENTER, Tdvpr);
    }

    /// <summary>A SEAMCALL that must succeed.</summary>
    public void Succeed(HostLeaf leaf, ulong rcx, ulong rdx = 0, ulong r8 = 0, ulong r9 = 0) =>
        Assert.Equal(0UL, Call(leaf, rcx, rdx, r8, r9).Rax);

    /// <summary>A SEAMCALL.</summary>
    public RegisterFile Call(HostLeaf leaf, ulong rcx, ulong rdx = 0, ulong r8 = 0, ulong r9 = 0)
    {
        var registers = new RegisterFile { Rax = (ulong)leaf, Rcx = rcx, Rdx = rdx, R8 = r8, R9 = r9 };
        Step(TraceEvent.OfSeamcall(0, registers, registers));
        return _events.Last.Output;
    }

    /// <summary>An event under the laws, all of which must hold.</summary>
    public void Step(TraceEvent e) => Assert.Null(_events.Step(ref e, ChoicePoint.None, 0));
}
