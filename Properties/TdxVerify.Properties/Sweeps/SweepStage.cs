using TdxVerify.Abi;
using TdxVerify.Model;
using TdxVerify.Properties.Generation;

namespace TdxVerify.Properties.Sweeps;

/// <summary>
/// TDs in every state of their life, with vCPUs and S-EPT entries in every state: what the calls of a sweep are made
/// on. Set up by calls that all succeed.
/// </summary>
internal sealed class SweepStage
{
    // In the first 2 MiB, like all small pages, behind those that the stage uses.
    private const int FirstSparePage = 401;

    private readonly SweepRunner _run;
    private int _nextPage;
    private ulong _nextHkid;
    private int _sparePages;

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

    /// <summary>5 TDCS pages, not initialised: the next is the 6th.</summary>
    public ulong AlmostComplete { get; private set; }

    /// <summary>6 TDCS pages, not initialised.</summary>
    public ulong Complete { get; private set; }

    /// <summary>9 TDCS pages, not initialised.</summary>
    public ulong Full { get; private set; }

    /// <summary>INITIALIZED.</summary>
    public StagedTd Built { get; } = new();

    /// <summary>RUNNABLE.</summary>
    public StagedTd Running { get; } = new();

    /// <summary>INITIALIZED, with as many vCPUs as it may have, and one more that is not initialised.</summary>
    public StagedTd Crowded { get; } = new();

    /// <summary>RUNNABLE, with a vCPU that is not in the guest: no lock of the TDR is held.</summary>
    public StagedTd Idle { get; } = new();

    /// <summary>INITIALIZED, ATTRIBUTES.DEBUG set.</summary>
    public ulong Debug { get; private set; }

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

    /// <summary>Another unassigned page each time.</summary>
    public ulong NextUnassigned() => Page(FirstSparePage + _sparePages++);

    /// <summary>A 2 MiB block without an assigned page.</summary>
    public ulong UnassignedBlock { get; private set; }

    /// <summary>A 2 MiB block with an assigned page in it.</summary>
    public ulong UsedBlock => Page(0);

    /// <summary>A page inside a 2 MiB page.</summary>
    public ulong Inside2M { get; private set; }

    /// <summary>A page inside a 1 GiB page; 0: the TDMR has no room for one.</summary>
    public ulong Inside1G { get; private set; }

    /// <summary>HPA of the first of the pages that can be merged; 0: there are none.</summary>
    public ulong MergeableBlock { get; private set; }

    /// <summary>TDVPS pages that a vCPU needs.</summary>
    public const int TdvpsPages = 6;

    /// <summary>GPA of the 1 GiB page.</summary>
    public const ulong Gpa1G = 0x4000_0000;

    /// <summary>GPA of a table of 512 contiguous 4 KiB pages, if asked for.</summary>
    public const ulong GpaMergeable = 0xE0_0000;

    /// <summary>GPA whose walk ends above the level of any page.</summary>
    public const ulong GpaUnmapped = 0x7F_8000_0000;

    /// <summary>GPAs of 4 KiB entries: free, mapped, blocked, pending, pending and blocked, blocked and not tracked.</summary>
    public static ReadOnlySpan<ulong> SmallGpas => [0, 0x1000, 0x2000, 0x3000, 0x4000, 0x5000];

    /// <summary>
    /// GPAs of 2 MiB entries: a table, pending (unblocked, not tracked since), pending and blocked, blocked empty table,
    /// free, table with a page, mapped (in <see cref="Running"/>), empty table (unblocked, not tracked since), mapped (in
    /// <see cref="Running"/>) and blocked and not tracked.
    /// </summary>
    public static ReadOnlySpan<ulong> LargeGpas =>
        [0, 0x20_0000, 0x40_0000, 0x60_0000, 0x80_0000, 0xA0_0000, 0xC0_0000, 0x100_0000, 0x120_0000];

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

    /// <summary>The page that an S-EPT entry maps or points to; 0: none, or there is no such entry.</summary>
    public ulong Behind(ulong tdr, ulong gpa, int level)
    {
        ref ObservedState s = ref _run.State;
        int td = s.Holder((int)((tdr - Platform.PageBase) >> Hpa.PageShift));
        int table = (int)s.Td(td, TdField.RootTable);
        for (int at = (int)s.Td(td, TdField.RootLevel); at >= level; at--)
        {
            SeptEntry entry = s.Entry(new EntryRef(table, SeptLevel.Index(gpa, at)));
            if (at == level)
                return entry.State == SeptState.FREE ? 0 : Page(entry.IsLeaf ? entry.Target : s.TablePage(entry.Target));
            if (!SeptStates.NonLeaf.Contains(entry.State))
                return 0;
            table = entry.Target;
        }

        return 0;
    }

    /// <summary>The TDR of the TD that a vCPU belongs to.</summary>
    public ulong OwnerOf(ulong tdvpr)
    {
        int page = (int)((tdvpr - Platform.PageBase) >> Hpa.PageShift);
        return Page((int)_run.State.Pamt(new PamtRef(0, page), PamtField.Owner) - 1);
    }

    private ulong NextPage() => Page(_nextPage++);

    private void SetTds()
    {
        New = Create();
        Incomplete = WithPages(3);
        AlmostComplete = WithPages(5);
        Complete = WithPages(6);
        Full = WithPages(9);
        TdcsPage = Full + Hpa.PageSize;
        Built.Tdr = Initialized();
        Running.Tdr = Initialized();
        WithoutVcpu = Initialized();
        Debug = Initialized(debug: true);
        FillCrowded();
        FillIdle();
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

    private ulong Initialized(int maxVcpus = 8, bool debug = false)
    {
        ulong tdr = WithPages(6);
        ulong parameters = Scope.ParametersAddress(_run.Platform);
        byte[] image = TdParamsImage.Build(septVeDisable: false, fiveLevels: false, wideGpa: false, maxVcpus, illegal: -1, mayNameL2Vms: false);
        image[0] |= debug ? (byte)1 : (byte)0;
        _run.Write(parameters, image);
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

    private void FillCrowded()
    {
        Crowded.Tdr = Initialized(maxVcpus: 2);
        Crowded.ReadyVcpu = Vcpu(Crowded.Tdr, 6, lp: 0);
        Crowded.FullVcpu = Vcpu(Crowded.Tdr, 15, lp: 0);
        Crowded.CompleteVcpu = Vcpu(Crowded.Tdr, 6);
    }

    private void FillIdle()
    {
        Idle.Tdr = Initialized();
        Idle.ReadyVcpu = Vcpu(Idle.Tdr, 6, lp: 0);
        _run.Must(HostLeaf.TDH_MR_FINALIZE, Idle.Tdr);
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
        AddPending(td.Tdr);
        foreach (ulong gpa in (ulong[])[SmallGpas[2], SmallGpas[4]])
            Block(td.Tdr, gpa, SeptLevel.Page4K);
        foreach (ulong gpa in (ulong[])[LargeGpas[2], LargeGpas[3]])
            Block(td.Tdr, gpa, SeptLevel.Page2M);
        _run.Must(HostLeaf.TDH_MEM_TRACK, td.Tdr);
        Block(td.Tdr, SmallGpas[5], SeptLevel.Page4K);

        // Before it runs, a TD needs no tracking to unblock: what is unblocked now is mapped and not tracked.
        foreach (ulong gpa in (ulong[])[LargeGpas[1], LargeGpas[7]])
        {
            Block(td.Tdr, gpa, SeptLevel.Page2M);
            _run.Must(HostLeaf.TDH_MEM_RANGE_UNBLOCK, PageInfo.Of(gpa, SeptLevel.Page2M).Value, td.Tdr);
        }

        if (run)
        {
            _run.Must(HostLeaf.TDH_MR_FINALIZE, td.Tdr);
            Accept(td, LargeGpas[6]);
            Accept(td, LargeGpas[8]);
        }

        Block(td.Tdr, LargeGpas[8], SeptLevel.Page2M);
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
        foreach (ulong gpa in (ulong[])[LargeGpas[1], LargeGpas[2], LargeGpas[6], LargeGpas[8]])
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

    private void Accept(StagedTd td, ulong gpa) => _run.Run(td.ReadyVcpu, 0, new GuestOperation
    {
        Kind = GuestOperationKind.Tdcall,
        Rip = 0x40_0000,
        Registers = new RegisterFile { Rax = (ulong)GuestLeaf.TDG_MEM_PAGE_ACCEPT, Rcx = PageInfo.Of(gpa, SeptLevel.Page2M).Value },
    });

    private void Block(ulong tdr, ulong gpa, int level) => _run.Must(HostLeaf.TDH_MEM_RANGE_BLOCK, PageInfo.Of(gpa, level).Value, tdr);

    /// <summary>The first whole GiB that no page of the stage is in; 0: the TDMR has no room for one.</summary>
    public ulong FreeGiB
    {
        get
        {
            ulong size = SeptLevel.Size(SeptLevel.Page1G);
            ulong first = (Page(_nextBlock << 9) + size - 1) & ~(size - 1);
            return first + size <= Platform.PageEnd ? first : 0;
        }
    }

    /// <summary>Maps <see cref="FreeGiB"/> by 512 2 MiB pages of <see cref="Built"/>, which can be merged.</summary>
    public void Fill1G()
    {
        AddTable(Built.Tdr, Gpa1G, SeptLevel.Page1G);
        for (ulong offset = 0; offset < SeptLevel.Size(SeptLevel.Page1G); offset += SeptLevel.Size(SeptLevel.Page2M))
            _run.Must(HostLeaf.TDH_MEM_PAGE_AUG, PageInfo.Of(Gpa1G + offset, SeptLevel.Page2M).Value, Built.Tdr, FreeGiB + offset);
    }

    /// <summary>Merges the pages of <see cref="Fill1G"/>.</summary>
    public void Merge1G()
    {
        _run.Must(HostLeaf.TDH_MEM_PAGE_PROMOTE, PageInfo.Of(Gpa1G, SeptLevel.Page1G).Value, Built.Tdr);
        Inside1G = FreeGiB + (777 * Hpa.PageSize);
    }

    private void Add1G()
    {
        if (FreeGiB == 0)
            return;
        Fill1G();
        Merge1G();
    }

    private void AddMergeable()
    {
        MergeableBlock = NextBlock();
        AddTable(Built.Tdr, GpaMergeable, SeptLevel.Page2M);
        for (ulong offset = 0; offset < SeptLevel.Size(SeptLevel.Page2M); offset += Hpa.PageSize)
            _run.Must(HostLeaf.TDH_MEM_PAGE_AUG, PageInfo.Of(GpaMergeable + offset, SeptLevel.Page4K).Value, Built.Tdr, MergeableBlock + offset);
        UnassignedBlock = Page(_nextBlock << 9);
    }
}
