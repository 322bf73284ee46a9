using TdxVerify.Abi;
using TdxVerify.Properties.Generation;

namespace TdxVerify.Properties.Sweeps;

/// <summary>
/// TDs in every state of their life, with vCPUs and S-EPT entries in every state: what the calls of a sweep are made
/// on. Set up by calls that all succeed.
/// </summary>
internal sealed class SweepStage
{
    private readonly SweepRunner _run;
    private int _nextPage;
    private ulong _nextHkid;

    private SweepStage(SweepRunner run)
    {
        _run = run;
        _nextHkid = (ulong)run.Platform.HkidFirst;
    }

    /// <summary>The platform.</summary>
    public PlatformInfo Platform => _run.Platform;

    /// <summary>HKID_ASSIGNED, no TDCS page.</summary>
    public ulong New { get; private set; }

    /// <summary>Keys configured, 3 TDCS pages, not initialised.</summary>
    public ulong Incomplete { get; private set; }

    /// <summary>6 TDCS pages, not initialised.</summary>
    public ulong Complete { get; private set; }

    /// <summary>9 TDCS pages, not initialised.</summary>
    public ulong Full { get; private set; }

    /// <summary>INITIALIZED.</summary>
    public StagedTd Built { get; } = new();

    /// <summary>RUNNABLE.</summary>
    public StagedTd Running { get; } = new();

    /// <summary>INITIALIZED, without vCPU.</summary>
    public ulong WithoutVcpu { get; private set; }

    /// <summary>TD_BLOCKED, 3 TDCS pages.</summary>
    public ulong Blocked { get; private set; }

    /// <summary>TD_BLOCKED, its cache lines written back.</summary>
    public ulong WrittenBack { get; private set; }

    /// <summary>TD_TEARDOWN, with pages.</summary>
    public ulong TornDown { get; private set; }

    /// <summary>A TDCS page of <see cref="TornDown"/>.</summary>
    public ulong TornDownPage { get; private set; }

    /// <summary>A page of a TDCS.</summary>
    public ulong TdcsPage { get; private set; }

    /// <summary>An unassigned page.</summary>
    public ulong Unassigned { get; private set; }

    /// <summary>A 2 MiB block without an assigned page.</summary>
    public ulong UnassignedBlock { get; private set; }

    /// <summary>A 2 MiB block with an assigned page in it.</summary>
    public ulong UsedBlock => Page(0);

    /// <summary>A page inside a 2 MiB page.</summary>
    public ulong Inside2M { get; private set; }

    /// <summary>A page inside a 1 GiB page; 0: the TDMR has no room for one.</summary>
    public ulong Inside1G { get; private set; }

    /// <summary>GPA of the 1 GiB page.</summary>
    public const ulong Gpa1G = 0x4000_0000;

    /// <summary>GPA of a table of 512 contiguous 4 KiB pages, if asked for.</summary>
    public const ulong GpaMergeable = 0xE0_0000;

    /// <summary>GPA whose walk ends above the level of any page.</summary>
    public const ulong GpaUnmapped = 0x7F_8000_0000;

    /// <summary>GPAs of 4 KiB entries: free, mapped, blocked, pending, pending and blocked, blocked and not tracked.</summary>
    public static ReadOnlySpan<ulong> SmallGpas => [0, 0x1000, 0x2000, 0x3000, 0x4000, 0x5000];

    /// <summary>
    /// GPAs of 2 MiB entries: a table, pending, pending and blocked, blocked empty table, free, table with a page,
    /// mapped (in <see cref="Running"/>), empty table.
    /// </summary>
    public static ReadOnlySpan<ulong> LargeGpas => [0, 0x20_0000, 0x40_0000, 0x60_0000, 0x80_0000, 0xA0_0000, 0xC0_0000, 0x100_0000];

    /// <summary>Sets the stage on a fresh platform.</summary>
    /// <param name="run">Carries out the calls.</param>
    /// <param name="with1G">With a 1 GiB page: 512 calls more.</param>
    /// <param name="withMergeable">With 512 contiguous 4 KiB pages that can be merged: 512 calls more.</param>
    public static SweepStage Set(SweepRunner run, bool with1G, bool withMergeable)
    {
        var stage = new SweepStage(run);
        stage.SetTds();
        stage.Fill(stage.Built, run: false);
        stage.Fill(stage.Running, run: true);
        if (with1G)
            stage.Add1G();
        if (withMergeable)
            stage.AddMergeable();
        return stage;
    }

    /// <summary>A page of the first GiB, counted from its start.</summary>
    public ulong Page(int page) => _run.Platform.PageBase + ((ulong)page << Hpa.PageShift);

    private ulong NextPage() => Page(_nextPage++);

    private void SetTds()
    {
        New = Create();
        Incomplete = WithPages(3);
        Complete = WithPages(6);
        Full = WithPages(9);
        TdcsPage = Full + Hpa.PageSize;
        Built.Tdr = Initialized();
        Running.Tdr = Initialized();
        WithoutVcpu = Initialized();
        WrittenBack = WithPages(3);
        _run.Must(HostLeaf.TDH_MNG_VPFLUSHDONE, WrittenBack);
        TornDown = WithPages(3);
        TornDownPage = TornDown + Hpa.PageSize;
        _run.Must(HostLeaf.TDH_MNG_VPFLUSHDONE, TornDown);
        _run.Must(HostLeaf.TDH_PHYMEM_CACHE_WB);
        _run.Must(HostLeaf.TDH_MNG_KEY_FREEID, TornDown);
        Blocked = WithPages(3);
        _run.Must(HostLeaf.TDH_MNG_VPFLUSHDONE, Blocked);
    }

    private ulong Create()
    {
        ulong tdr = NextPage();
        _run.Must(HostLeaf.TDH_MNG_CREATE, tdr, _nextHkid++);
        return tdr;
    }

    private ulong WithPages(int pages)
    {
        ulong tdr = Create();
        _run.Must(HostLeaf.TDH_MNG_KEY_CONFIG, tdr);
        for (int i = 0; i < pages; i++)
            _run.Must(HostLeaf.TDH_MNG_ADDCX, NextPage(), tdr);
        return tdr;
    }

    private ulong Initialized()
    {
        ulong tdr = WithPages(6);
        ulong parameters = Scope.ParametersAddress(_run.Platform);
        _run.Write(parameters, TdParamsImage.Build(septVeDisable: false, fiveLevels: false, wideGpa: false, maxVcpus: 8, illegal: -1, mayNameL2Vms: false));
        _run.Must(HostLeaf.TDH_MNG_INIT, tdr, parameters);
        return tdr;
    }

    private ulong Vcpu(ulong tdr, int pages, int lp = -1)
    {
        ulong tdvpr = NextPage();
        _run.Must(HostLeaf.TDH_VP_CREATE, tdvpr, tdr);
        for (int i = 1; i < pages; i++)
            _run.Must(HostLeaf.TDH_VP_ADDCX, NextPage(), tdvpr);
        if (lp >= 0)
            _run.Must(HostLeaf.TDH_VP_INIT, tdvpr, lp: lp);
        return tdvpr;
    }

    private void Fill(StagedTd td, bool run)
    {
        td.NewVcpu = Vcpu(td.Tdr, 1);
        td.IncompleteVcpu = Vcpu(td.Tdr, 5);
        td.CompleteVcpu = Vcpu(td.Tdr, 6);
        td.FullVcpu = Vcpu(td.Tdr, 15);
        td.ReadyVcpu = Vcpu(td.Tdr, 6, lp: 0);
        td.ElsewhereVcpu = Vcpu(td.Tdr, 6, lp: 1);
        td.ActiveVcpu = Vcpu(td.Tdr, 6, lp: Math.Min(3, _run.Platform.LpCount - 1));
        AddTable(td.Tdr, 0, SeptLevel.Pml4);
        AddTable(td.Tdr, 0, SeptLevel.Page1G);
        AddTable(td.Tdr, 0, SeptLevel.Page2M);
        AddPages(td);
        if (run)
            _run.Must(HostLeaf.TDH_MR_FINALIZE, td.Tdr);
        AddPending(td.Tdr);
        if (run)
            Accept(td);
        foreach (ulong gpa in (ulong[])[SmallGpas[2], SmallGpas[4]])
            Block(td.Tdr, gpa, SeptLevel.Page4K);
        foreach (ulong gpa in (ulong[])[LargeGpas[2], LargeGpas[3]])
            Block(td.Tdr, gpa, SeptLevel.Page2M);
        _run.Must(HostLeaf.TDH_MEM_TRACK, td.Tdr);
        Block(td.Tdr, SmallGpas[5], SeptLevel.Page4K);
        if (run)
            _run.Enter(td.ActiveVcpu, Math.Min(3, _run.Platform.LpCount - 1));
    }

    private void AddTable(ulong tdr, ulong gpa, int level) =>
        _run.Must(HostLeaf.TDH_MEM_SEPT_ADD, PageInfo.Of(gpa, level).Value, tdr, NextPage());

    private void AddPages(StagedTd td)
    {
        foreach (ulong gpa in (ulong[])[SmallGpas[1], SmallGpas[2], SmallGpas[5]])
        {
            ulong page = NextPage();
            _run.Must(HostLeaf.TDH_MEM_PAGE_ADD, PageInfo.Of(gpa, SeptLevel.Page4K).Value, td.Tdr, page, Scope.SourceAddress(_run.Platform));
            td.SmallPage = page;
        }

        td.TablePage = Page(_nextPage);
        AddTable(td.Tdr, LargeGpas[3], SeptLevel.Page2M);
        AddTable(td.Tdr, LargeGpas[5], SeptLevel.Page2M);
        AddTable(td.Tdr, LargeGpas[7], SeptLevel.Page2M);
    }

    private void AddPending(ulong tdr)
    {
        foreach (ulong gpa in (ulong[])[SmallGpas[3], SmallGpas[4], LargeGpas[5]])
            _run.Must(HostLeaf.TDH_MEM_PAGE_AUG, PageInfo.Of(gpa, SeptLevel.Page4K).Value, tdr, NextPage());
        foreach (ulong gpa in (ulong[])[LargeGpas[1], LargeGpas[2], LargeGpas[6]])
        {
            Inside2M = NextBlock() + (5 * Hpa.PageSize);
            _run.Must(HostLeaf.TDH_MEM_PAGE_AUG, PageInfo.Of(gpa, SeptLevel.Page2M).Value, tdr, Inside2M - (5 * Hpa.PageSize));
        }

        Unassigned = Page(400);
        UnassignedBlock = Page(_nextBlock << 9);
    }

    // Small pages are all in the first block.
    private int _nextBlock = 1;

    private ulong NextBlock() => Page(_nextBlock++ << 9);

    private void Accept(StagedTd td) => _run.Run(td.ReadyVcpu, 0, new GuestOperation
    {
        Kind = GuestOperationKind.Tdcall,
        Rip = 0x40_0000,
        Registers = new RegisterFile { Rax = (ulong)GuestLeaf.TDG_MEM_PAGE_ACCEPT, Rcx = PageInfo.Of(LargeGpas[6], SeptLevel.Page2M).Value },
    });

    private void Block(ulong tdr, ulong gpa, int level) => _run.Must(HostLeaf.TDH_MEM_RANGE_BLOCK, PageInfo.Of(gpa, level).Value, tdr);

    private void Add1G()
    {
        ulong size = SeptLevel.Size(SeptLevel.Page1G);
        ulong first = (Page(_nextBlock << 9) + size - 1) & ~(size - 1);
        if (first + size > _run.Platform.PageEnd)
            return;
        AddTable(Built.Tdr, Gpa1G, SeptLevel.Page1G);
        for (ulong offset = 0; offset < size; offset += SeptLevel.Size(SeptLevel.Page2M))
            _run.Must(HostLeaf.TDH_MEM_PAGE_AUG, PageInfo.Of(Gpa1G + offset, SeptLevel.Page2M).Value, Built.Tdr, first + offset);
        _run.Must(HostLeaf.TDH_MEM_PAGE_PROMOTE, PageInfo.Of(Gpa1G, SeptLevel.Page1G).Value, Built.Tdr);
        Inside1G = first + (777 * Hpa.PageSize);
    }

    private void AddMergeable()
    {
        ulong block = NextBlock();
        AddTable(Built.Tdr, GpaMergeable, SeptLevel.Page2M);
        for (ulong offset = 0; offset < SeptLevel.Size(SeptLevel.Page2M); offset += Hpa.PageSize)
            _run.Must(HostLeaf.TDH_MEM_PAGE_AUG, PageInfo.Of(GpaMergeable + offset, SeptLevel.Page4K).Value, Built.Tdr, block + offset);
        UnassignedBlock = Page(_nextBlock << 9);
    }
}

/// <summary>A TD of a <see cref="SweepStage"/>, with vCPUs in every state.</summary>
internal sealed class StagedTd
{
    /// <summary>HPA of the TDR.</summary>
    public ulong Tdr { get; set; }

    /// <summary>1 TDVPS page.</summary>
    public ulong NewVcpu { get; set; }

    /// <summary>5 TDVPS pages.</summary>
    public ulong IncompleteVcpu { get; set; }

    /// <summary>6 TDVPS pages, not initialised.</summary>
    public ulong CompleteVcpu { get; set; }

    /// <summary>15 TDVPS pages, not initialised.</summary>
    public ulong FullVcpu { get; set; }

    /// <summary>READY, associated with processor 0.</summary>
    public ulong ReadyVcpu { get; set; }

    /// <summary>READY, associated with processor 1.</summary>
    public ulong ElsewhereVcpu { get; set; }

    /// <summary>In the guest, if the TD runs.</summary>
    public ulong ActiveVcpu { get; set; }

    /// <summary>A mapped 4 KiB page.</summary>
    public ulong SmallPage { get; set; }

    /// <summary>An S-EPT page.</summary>
    public ulong TablePage { get; set; }
}
