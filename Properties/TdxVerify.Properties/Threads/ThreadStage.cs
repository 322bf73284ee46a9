using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Properties.Generation;

namespace TdxVerify.Properties.Threads;

/// <summary>
/// The TD that threads work on: a vCPU for each, some GPAs below one S-EPT page, a place where S-EPT pages come and go, and
/// fewer free pages than GPAs that want one. So few that calls meet.
/// </summary>
internal sealed class ThreadStage
{
    private const ulong Region = 0xC000_0000;
    private const ulong ParamsOffset = 0x5D_C000;
    private const int MappableGpas = 3;
    private const int FreePages = 3;

    private readonly PlatformInfo _platform;
    private ulong _next;

    /// <summary>A stage on a platform.</summary>
    public ThreadStage(PlatformInfo platform, int vcpus)
    {
        _platform = platform;
        _next = platform.PageBase;
        Tdr = TakePage();
        Preparation = Prepare(vcpus);
        Gpas = [.. Enumerable.Range(0, MappableGpas).Select(i => Region + ((ulong)i * Hpa.PageSize))];
        Pages = [.. Enumerable.Range(0, FreePages).Select(_ => TakePage())];
        SeptPages = [TakePage(), TakePage()];
    }

    /// <summary>The TDR page.</summary>
    public ulong Tdr { get; }

    /// <summary>The TDVPR pages; vCPU n belongs on LP n.</summary>
    public IReadOnlyList<ulong> Vcpus { get; private set; } = [];

    /// <summary>GPAs of 4 KiB below an S-EPT page that is always there.</summary>
    public IReadOnlyList<ulong> Gpas { get; }

    /// <summary>Where an S-EPT page can be added and removed, and the GPA of a page below it.</summary>
    public static ulong Table => Region + SeptLevel.Size(SeptLevel.Page2M);

    /// <summary>Pages for the GPAs.</summary>
    public IReadOnlyList<ulong> Pages { get; }

    /// <summary>Pages for the S-EPT.</summary>
    public IReadOnlyList<ulong> SeptPages { get; }

    /// <summary>What builds the TD, without answers.</summary>
    public IReadOnlyList<TraceEvent> Preparation { get; }

    /// <summary>A SEAMCALL without its answer.</summary>
    public static TraceEvent Call(int lp, HostLeaf leaf, ulong rcx, ulong rdx = 0, ulong r8 = 0) =>
        new() { Kind = TraceEventKind.Seamcall, Lp = lp, Input = new RegisterFile { Rax = (ulong)leaf, Rcx = rcx, Rdx = rdx, R8 = r8 } };

    private List<TraceEvent> Prepare(int vcpus)
    {
        List<TraceEvent> calls =
        [
            Call(0, HostLeaf.TDH_MNG_CREATE, Tdr, (ulong)_platform.HkidFirst),
            Call(0, HostLeaf.TDH_MNG_KEY_CONFIG, Tdr),
        ];
        for (int i = 0; i < _platform.TdcsPages; i++)
            calls.Add(Call(0, HostLeaf.TDH_MNG_ADDCX, TakePage(), Tdr));
        ulong parameters = _platform.PageBase + ParamsOffset;
        calls.Add(TraceEvent.OfWrite(parameters, TdParamsImage.Build(septVeDisable: false, fiveLevels: false, wideGpa: false, maxVcpus: vcpus, illegal: -1, mayNameL2Vms: false)));
        calls.Add(Call(0, HostLeaf.TDH_MNG_INIT, Tdr, parameters));
        var pages = new List<ulong>();
        for (int vcpu = 0; vcpu < vcpus; vcpu++)
        {
            pages.Add(TakePage());
            calls.Add(Call(0, HostLeaf.TDH_VP_CREATE, pages[vcpu], Tdr));
            for (int i = 0; i < _platform.TdvpxPages; i++)
                calls.Add(Call(0, HostLeaf.TDH_VP_ADDCX, TakePage(), pages[vcpu]));
            calls.Add(Call(vcpu, HostLeaf.TDH_VP_INIT, pages[vcpu]));
        }

        Vcpus = pages;
        calls.Add(Call(0, HostLeaf.TDH_MEM_SEPT_ADD, SeptLevel.Pml4, Tdr, TakePage()));
        calls.Add(Call(0, HostLeaf.TDH_MEM_SEPT_ADD, Region | SeptLevel.Page1G, Tdr, TakePage()));
        calls.Add(Call(0, HostLeaf.TDH_MEM_SEPT_ADD, Region | SeptLevel.Page2M, Tdr, TakePage()));
        calls.Add(Call(0, HostLeaf.TDH_MR_FINALIZE, Tdr));
        return calls;
    }

    private ulong TakePage()
    {
        ulong page = _next;
        _next += Hpa.PageSize;
        return page;
    }
}
