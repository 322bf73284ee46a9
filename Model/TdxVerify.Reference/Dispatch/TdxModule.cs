using TdxVerify.Abi;

namespace TdxVerify.Reference;

/// <summary>The state of the module and of the platform it runs on, which the leaves share.</summary>
internal sealed class TdxModule : IDisposable
{
    private readonly List<GuestProgram> _submitted = [];
    private readonly RemovedLock _removed;
    private bool _interruptPending;

    public TdxModule(PlatformInfo platform, RemovedLock removed = RemovedLock.None)
    {
        _removed = removed;
        Platform = platform;
        Memory = new PhysicalMemory(platform);
        Pamt = new PamtTable(platform, Lacks(RemovedLock.PamtEntry));
        Kot = new KeyOwnershipTable(platform);
        HkidAndAboveMask = ~((1UL << platform.HkidStartBit) - 1);
        Processors = new LogicalProcessor[platform.LpCount];
        for (int i = 0; i < Processors.Length; i++)
            Processors[i] = new LogicalProcessor(i);
        WriteBack = new CacheWriteBack[platform.Packages];
        for (int i = 0; i < WriteBack.Length; i++)
            WriteBack[i] = new CacheWriteBack(Kot.HkidLimit);
        Guests = new GuestProgram?[platform.PageCount];
    }

    public PlatformInfo Platform { get; }

    public PhysicalMemory Memory { get; }

    public PamtTable Pamt { get; }

    public KeyOwnershipTable Kot { get; }

    public ChoicePoints Choices { get; } = new();

    public LogicalProcessor[] Processors { get; }

    /// <summary>One for each package.</summary>
    public CacheWriteBack[] WriteBack { get; }

    /// <summary>What runs in the guest of a vCPU, by the page of the TDMR that is its TDVPR.</summary>
    public GuestProgram?[] Guests { get; }

    public bool Is1505 => Platform.Profile == ModuleProfile.V1_5_05;

    /// <summary>The address bits that an operand without key id leaves 0: key id and what lies above.</summary>
    public ulong HkidAndAboveMask { get; }

    /// <summary>TDVPR and TDVPX pages of a vCPU without L2 VMs.</summary>
    public int TdvpsPages => Platform.TdvpxPages + 1;

    /// <summary>An external interrupt is pending on all processors.</summary>
    public bool InterruptPending
    {
        get => Volatile.Read(ref _interruptPending);
        set => Volatile.Write(ref _interruptPending, value);
    }

    /// <summary>Where a call holds locks, others may be given time to meet it.</summary>
    public Action? Pause { get; set; }

    /// <summary>This lock is left out, for a test: it is neither asked nor waited for.</summary>
    public bool Lacks(RemovedLock which) => _removed == which && which != RemovedLock.None;

    /// <summary>
    /// A call holds a lock here. Where the lock is left out, it takes its time (1 ms or more), so that a test need not wait
    /// for the rare moment at which that shows.
    /// </summary>
    public void PauseUnder(RemovedLock held)
    {
        Pause?.Invoke();
        if (Lacks(held))
            Thread.Sleep(1);
    }

    /// <summary>The package of a processor: processors are dealt out in turn.</summary>
    public int PackageOf(int lp) => lp % Platform.Packages;

    /// <summary>The index of a page of the TDMR; negative where it is none.</summary>
    public long PageIndex(ulong hpa) =>
        Pamt.Contains(hpa) ? (long)((hpa - Platform.PageBase) >> Hpa.PageShift) : -1;

    /// <summary>A page that the host hands over for the module to read: below 2^52, with a shared key id.</summary>
    public bool IsSharedHpa(ulong hpa, ulong alignment) =>
        (hpa & (alignment - 1)) == 0
        && hpa >> Platform.MaxPa == 0
        && hpa >> Platform.HkidStartBit < (ulong)Platform.PrivateHkidFirst;

    /// <summary>The address without its key id.</summary>
    public ulong WithoutHkid(ulong hpa) => hpa & ~HkidAndAboveMask;

    /// <summary>The PAMT holds the page for a TD, at whatever size.</summary>
    public unsafe bool IsAssigned(ulong hpa)
    {
        if (!Pamt.Contains(hpa))
            return false;
        return Pamt.Entry(hpa, SeptLevel.Page4K)->Type != PamtPageType.Nda
            || Pamt.Entry(hpa, SeptLevel.Page2M)->Type != PamtPageType.Nda
            || Pamt.Entry(hpa, SeptLevel.Page1G)->Type != PamtPageType.Nda;
    }

    /// <summary>Sets what the guest of a vCPU does next.</summary>
    public void SubmitGuest(long page, in GuestOperation operation)
    {
        GuestProgram program = Guests[page] ??= new GuestProgram();
        if (!program.Submitted)
            _submitted.Add(program);
        program.Submit(operation);
    }

    /// <summary>A new vCPU was told nothing yet, whatever a former one with the same TDVPR page still had to do.</summary>
    public void ForgetGuest(ulong tdvprHpa) => Guests[PageIndex(tdvprHpa)]?.Reset();

    public void Reset()
    {
        foreach (GuestProgram program in _submitted)
            program.Reset();
        _submitted.Clear();
        Memory.Reset();
        Pamt.Reset();
        Kot.Reset();
        Choices.Clear();
        foreach (LogicalProcessor processor in Processors)
            processor.Reset();
        foreach (CacheWriteBack writeBack in WriteBack)
            writeBack.Reset();
        _interruptPending = false;
    }

    public void Dispose()
    {
        Memory.Dispose();
        Pamt.Dispose();
    }
}
