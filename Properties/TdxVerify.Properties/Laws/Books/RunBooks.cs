using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Properties.Laws.Books;

/// <summary>
/// What several laws would each have to keep: who exists and who runs, the PAMT, the S-EPT, what was accepted. Kept from
/// the journal of writes and from the events; no rule of the model's leaves is used. Brought up to date by the first
/// law that asks after an event, so laws can be checked in any selection.
/// </summary>
internal sealed class RunBooks
{
    private Observation? _observation;
    private PlatformInfo? _platform;
    private long _seen;
    private Change[] _effects = new Change[256];
    private int _effectCount;
    private uint _kinds;
    private bool _isFresh;

    /// <summary>Events of the sequence so far: the logical clock of all books.</summary>
    public long Now { get; private set; }

    /// <summary>Writes of the event that changed something other than a lock word or the lock bits of an S-EPT entry.</summary>
    public ReadOnlySpan<Change> Effects => _effects.AsSpan(0, _effectCount);

    /// <summary>TDs, vCPUs and logical processors.</summary>
    public Roster Roster { get; } = new();

    /// <summary>Type and owner of pages.</summary>
    public PamtBook Pamt { get; } = new();

    /// <summary>The S-EPT trees.</summary>
    public SeptBook Sept { get; } = new();

    /// <summary>The event is a SEAMCALL that returned to its caller without having been in the guest.</summary>
    public bool ReturnedToHost { get; private set; }

    /// <summary>Effects of this kind are among <see cref="Effects"/>.</summary>
    public bool Wrote(ChangeKind kind) => (_kinds >> (int)kind & 1) != 0;

    /// <summary>Nothing was changed but locks, and nobody entered or left the guest.</summary>
    public bool IsQuiet => _kinds == 0 && !Roster.Entered && !Roster.Left;

    /// <summary>Takes over an event, once.</summary>
    public void See(Observation o)
    {
        if (_seen == o.Number && ReferenceEquals(_observation, o))
            return;
        _seen = o.Number;
        _observation = o;
        _isFresh = false;
        if (!ReferenceEquals(_platform, o.Platform))
            Fit(o.Platform);
        Now++;
        ReturnedToHost = o.ReturnedToHost && o.IsModelled;
        CollectEffects(o.Changes);
        Roster.Update(o, this);
        Pamt.Update(o, this);
        Sept.Update(o, this);
    }

    /// <summary>A new sequence on a fresh platform.</summary>
    public void Reset()
    {
        if (_isFresh)
            return;
        _isFresh = true;
        _observation = null;
        Now = 0;
        _effectCount = 0;
        _kinds = 0;
        Roster.Reset();
        Pamt.Reset();
        Sept.Reset();
    }

    /// <summary>Index of the page at an address, counted from the start of the TDMR; no page of it where the address is outside.</summary>
    public static int Page(Observation o, ulong hpa) => (int)Math.Min(int.MaxValue, (hpa - o.Platform.PageBase) >> Abi.Hpa.PageShift);

    /// <summary>The page as an HPA.</summary>
    public string Hpa(int page) => _platform is null ? "?" : $"HPA 0x{_platform.PageBase + ((ulong)page << Abi.Hpa.PageShift):x}";

    /// <summary>The page of a PAMT entry as an HPA, with its size where it is large.</summary>
    public string Hpa(PamtRef at) => Hpa(at.FirstPage) + at.Size switch { 0 => "", 1 => " (2 MiB)", _ => " (1 GiB)" };

    /// <summary>A TD, named by its TDR page.</summary>
    public string Td(int td) => (uint)td < (uint)Roster.Tds.Length ? $"TD {Hpa(Roster.Tds[td].TdrPage)}" : "no TD";

    /// <summary>A vCPU, named by its TDVPR page.</summary>
    public string Vcpu(int vcpu) => (uint)vcpu < (uint)Roster.Vcpus.Length ? $"vCPU {Hpa(Roster.Vcpus[vcpu].Page)}" : "an unknown vCPU";

    private void Fit(PlatformInfo platform)
    {
        _platform = platform;
        Roster.Fit(platform);
        Pamt.Fit(platform);
        Sept.Fit(platform);
    }

    private void CollectEffects(ReadOnlySpan<Change> changes)
    {
        if (_effects.Length < changes.Length)
            _effects = new Change[2 * changes.Length];
        Change[] effects = _effects;
        int count = 0;
        uint kinds = 0;
        foreach (ref readonly Change change in changes)
        {
            // Most writes are to the locks of PAMT walks.
            if (change.Kind == ChangeKind.Pamt && change.PamtField == PamtField.Lock)
                continue;
            if (!IsEffect(change))
                continue;
            effects[count++] = change;
            kinds |= 1u << (int)change.Kind;
        }

        _effectCount = count;
        _kinds = kinds;
    }

    private static bool IsEffect(in Change change) => change.Kind switch
    {
        ChangeKind.Entry => ((change.Old ^ change.New) & ~(SeptEntry.LockBit | SeptEntry.HostPriorityBit)) != 0,
        ChangeKind.Td => (TdField)change.Position switch
        {
            TdField.OpStateLock or TdField.SeptTreeLock or TdField.EpochLock => false,
            // Table 0 is a table too.
            TdField.RootTable => true,
            _ => change.Old != change.New,
        },
        ChangeKind.Global => change.Old != change.New
            && (GlobalField)change.Position is not (GlobalField.KotLock or GlobalField.WritebackMutex),
        >= ChangeKind.NewTd => true,
        _ => change.Old != change.New,
    };
}
