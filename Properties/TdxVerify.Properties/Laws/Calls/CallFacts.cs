using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Properties.Laws.Calls;

/// <summary>
/// What the operands of one call name in the state before it: the pages, TD, vCPU and S-EPT entry, filled in by the
/// rules of the leaf in their order. Also the locks that the call itself has asked for so far: a page named twice
/// refuses its second lock.
/// </summary>
internal sealed class CallFacts
{
    private const ulong Exclusive = 1;
    private const ulong HostPriority = 2;
    private const int ReaderShift = 2;

    private readonly LockAttempt[] _attempts = new LockAttempt[24];
    private int _attemptCount;

    /// <summary>The event.</summary>
    public Observation Seen = null!;

    /// <summary>The registers of the call.</summary>
    public RegisterFile In;

    /// <summary>The logical processor.</summary>
    public int Lp;

    /// <summary>The TD; -1: none was found.</summary>
    public int Td;

    /// <summary>The vCPU; -1: none was found.</summary>
    public int Vcpu;

    /// <summary>The TDR or TDVPR page.</summary>
    public int RootPage;

    /// <summary>The page operand.</summary>
    public int TargetPage;

    /// <summary>The PAMT size of the page operand.</summary>
    public int TargetSize;

    /// <summary>The type of the page operand.</summary>
    public PageType TargetType;

    /// <summary>The GPA.</summary>
    public ulong Gpa;

    /// <summary>The level asked for.</summary>
    public int WantedLevel;

    /// <summary>The S-EPT entry that the walk ended at.</summary>
    public EntryRef Entry;

    /// <summary>Its value.</summary>
    public SeptEntry Value;

    /// <summary>Its level.</summary>
    public int Level;

    /// <summary>How a guest touches memory.</summary>
    public GuestAccess Access;

    /// <summary>How far the call got, as far as the rules evaluated so far tell.</summary>
    public CallProgress Progress;

    /// <summary>The vCPU became associated with this processor.</summary>
    public bool IsNewlyAssociated
    {
        get => Has(CallProgress.NewlyAssociated);
        set => Set(CallProgress.NewlyAssociated, value);
    }

    /// <summary>TDH.VP.ENTER: the checks before the TD epoch were passed.</summary>
    public bool SampledEpoch
    {
        get => Has(CallProgress.SampledEpoch);
        set => Set(CallProgress.SampledEpoch, value);
    }

    /// <summary>TDH.VP.INIT: NUM_VCPUS was counted up, for a moment at least, and the index written.</summary>
    public bool ReachedCount
    {
        get => Has(CallProgress.ReachedCount);
        set => Set(CallProgress.ReachedCount, value);
    }

    /// <summary>TDH.VP.INIT: NUM_VCPUS stays counted up.</summary>
    public bool CountedVcpu
    {
        get => Has(CallProgress.CountedVcpu);
        set => Set(CallProgress.CountedVcpu, value);
    }

    /// <summary>TDH.VP.INIT version 1: the x2APIC slot was written.</summary>
    public bool WroteX2ApicId
    {
        get => Has(CallProgress.WroteX2ApicId);
        set => Set(CallProgress.WroteX2ApicId, value);
    }

    /// <summary>TDH.MNG.INIT: TD_EPOCH and the counts were written.</summary>
    public bool WroteFirstEpoch
    {
        get => Has(CallProgress.WroteFirstEpoch);
        set => Set(CallProgress.WroteFirstEpoch, value);
    }

    /// <summary>TDH.MNG.INIT: the topology was accepted.</summary>
    public bool AcceptedTopology
    {
        get => Has(CallProgress.AcceptedTopology);
        set => Set(CallProgress.AcceptedTopology, value);
    }

    /// <summary>TDH.VP.ENTER: the faulting GPA that does not translate.</summary>
    public ulong UntranslatedGpa;

    /// <summary>TDH.MEM.SEPT.ADD version 1: the checks of the entry's state were passed.</summary>
    public bool PassedEntryState
    {
        get => Has(CallProgress.PassedEntryState);
        set => Set(CallProgress.PassedEntryState, value);
    }

    /// <summary>TDH.MEM.PAGE.PROMOTE: the first of the 512 children.</summary>
    public SeptEntry FirstChild;

    /// <summary>TDH.MEM.PAGE.PROMOTE: children whose locks were asked for; -1: none was.</summary>
    public int LastChild;

    /// <summary>TDH.PHYMEM.PAGE.RECLAIM and RDMD: the owner TDR's page plus 1; 0: none.</summary>
    public ulong TargetOwner;

    /// <summary>TDH.PHYMEM.CACHE.WB: the mutex and the KOT were granted.</summary>
    public bool StartedWriteback
    {
        get => Has(CallProgress.StartedWriteback);
        set => Set(CallProgress.StartedWriteback, value);
    }

    /// <summary>The state; before the call when the rules are evaluated.</summary>
    public ref ObservedState S => ref Seen.State;

    /// <summary>The platform.</summary>
    public PlatformInfo Platform => Seen.Platform;

    /// <summary>The locks that the call asks for, in order.</summary>
    public ReadOnlySpan<LockAttempt> Attempts => _attempts.AsSpan(0, _attemptCount);

    /// <summary>The version of the leaf.</summary>
    public int Version => LeafNames.Version(In.Rax);

    /// <summary>A field of the TD.</summary>
    public ulong Of(TdField field) => S.Td(Td, field);

    /// <summary>A field of the vCPU.</summary>
    public ulong Of(VcpuField field) => S.Vcpu(Vcpu, field);

    /// <summary>OP_STATE.</summary>
    public OpState OpState => (OpState)Of(TdField.OpState);

    /// <summary>The PAMT entry of the page operand, at the size where its walk ends.</summary>
    public PamtRef Target => PamtRef.Of(TargetSize, TargetPage);

    /// <summary>The PAMT entry of what the S-EPT entry maps or points to.</summary>
    public PamtRef Mapped => Value.IsLeaf ? PamtRef.Of(Level, Value.Target) : new PamtRef(0, S.TablePage(Value.Target));

    /// <summary>The HPA of the page that the S-EPT entry maps, or of the S-EPT page that it points to.</summary>
    public ulong MappedHpa => HpaOf(Mapped.FirstPage);

    /// <summary>The HPA of a page.</summary>
    public ulong HpaOf(int page) => Platform.PageBase + ((ulong)page << Hpa.PageShift);

    /// <summary>The page of an HPA; -1: it is not in the TDMR.</summary>
    public int PageOf(ulong hpa)
    {
        ulong page = (hpa - Platform.PageBase) >> Hpa.PageShift;
        return page < (ulong)Platform.PageCount ? (int)page : -1;
    }

    /// <summary>The TDR or TDVPR page, or the page operand.</summary>
    public int Page(bool isRoot) => isRoot ? RootPage : TargetPage;

    /// <summary>The TDR or TDVPR page was found, or the page operand.</summary>
    public void SetPage(bool isRoot, int page)
    {
        if (isRoot)
            RootPage = page;
        else
            TargetPage = page;
    }

    /// <summary>A new call.</summary>
    public void Begin(Observation seen, in RegisterFile registers, int lp)
    {
        Seen = seen;
        In = registers;
        Lp = lp;
        Td = Vcpu = -1;
        RootPage = TargetPage = -1;
        TargetSize = 0;
        TargetType = PageType.PT_NDA;
        Entry = default;
        Value = default;
        Level = 0;
        _attemptCount = 0;
        LastChild = -1;
        Progress = CallProgress.None;
    }

    /// <summary>The call of a guest.</summary>
    public void BeginGuest(Observation seen, in GuestOperation operation, int lp, int vcpu)
    {
        Begin(seen, operation.Registers, lp);
        Vcpu = vcpu;
        Td = TdOfVcpu(vcpu);
        Gpa = operation.Gpa;
        Access = operation.Access;
    }

    /// <summary>The page type of a 4 KiB page.</summary>
    public PageType TypeOf(int page) => (PageType)S.Pamt(new PamtRef(0, page), PamtField.Type);

    /// <summary>The TD whose TDR page this is; -1: the page is no TDR.</summary>
    public int TdOf(int tdrPage) => tdrPage >= 0 && TypeOf(tdrPage) == PageType.PT_TDR ? S.Holder(tdrPage) : -1;

    /// <summary>The TD that owns a vCPU, by the PAMT owner of its TDVPR.</summary>
    public int TdOfVcpu(int vcpu) => TdOf((int)S.Pamt(new PamtRef(0, (int)S.Vcpu(vcpu, VcpuField.TdvprPage)), PamtField.Owner) - 1);

    /// <summary>Host, shared: refused under an exclusive holder.</summary>
    public bool RefusesShared(PamtRef at)
    {
        ulong word = S.Pamt(at, PamtField.Lock);
        return Attempt(at, word, AttemptMode.Shared, (word & Exclusive) != 0 || Own(at, onlyExclusive: true) > 0);
    }

    /// <summary>Host, exclusive: refused unless the word is free or has only the host-priority flag.</summary>
    public bool RefusesExclusive(PamtRef at)
    {
        ulong word = S.Pamt(at, PamtField.Lock);
        return Attempt(at, word, AttemptMode.Exclusive, (word & ~HostPriority) != 0 || Own(at, onlyExclusive: false) > 0);
    }

    /// <summary>Host, from its own shared lock to exclusive: refused while there is any other reader.</summary>
    public bool RefusesPromotion(PamtRef at)
    {
        ulong word = S.Pamt(at, PamtField.Lock);
        return Attempt(at, word, AttemptMode.Promotion, (word & Exclusive) != 0 || (int)(word >> ReaderShift) + Own(at, onlyExclusive: false) != 1);
    }

    /// <summary>One size of a PAMT walk to a 4 KiB page: a parent is taken shared; a PT_REG parent ends the walk in the wanted mode.</summary>
    public bool RefusesParent(int page, int size, bool exclusive)
    {
        var at = PamtRef.Of(size, page);
        return RefusesShared(at) || (exclusive && IsLarge(page, size) && RefusesPromotion(at));
    }

    /// <summary>The 2 MiB or 1 GiB entry over a page is PT_REG.</summary>
    public bool IsLarge(int page, int size) => (PageType)S.Pamt(PamtRef.Of(size, page), PamtField.Type) == PageType.PT_REG;

    /// <summary>A shared/exclusive lock word of the TD, plain or with host priority: a shared attempt of the host is refused.</summary>
    public bool RefusesShared(TdField word) => Attempt(word, AttemptMode.Shared, (Of(word) & Exclusive) != 0);

    /// <summary>A plain shared/exclusive lock word of the TD: an exclusive attempt is refused.</summary>
    public bool RefusesExclusive(TdField word) => Attempt(word, AttemptMode.Exclusive, Of(word) != 0);

    /// <summary>The lock bit of the S-EPT entry: a host's attempt is refused.</summary>
    public bool RefusesEntry() => Attempt(new LockAttempt
    {
        Kind = ChangeKind.Entry, Object = Entry.Table, Position = Entry.Index, Before = Value.Word, Mode = AttemptMode.Entry, IsRefused = Value.IsLocked,
    });

    /// <summary>Walks the S-EPT from the root down to a level, or to where it ends.</summary>
    public void Walk(int toLevel)
    {
        Level = (int)Of(TdField.RootLevel);
        int table = (int)Of(TdField.RootTable);
        for (; ; Level--)
        {
            Entry = new EntryRef(table, SeptLevel.Index(Gpa, Level));
            Value = S.Entry(Entry);
            if (Level <= toLevel || Value.State != SeptState.NL_MAPPED)
                return;
            table = Value.Target;
        }
    }

    /// <summary>The entry's state is one of these.</summary>
    public bool IsIn(SeptStates states) => states.Contains(Value.State);

    /// <summary>TLB tracking is done for a block epoch (facts/epoch.md, "Tracking test").</summary>
    public bool IsTracked(ulong blockEpoch)
    {
        ulong epoch = Of(TdField.Epoch);
        ulong running = Of((blockEpoch & 1) == 0 ? TdField.RefCountEven : TdField.RefCountOdd);
        return blockEpoch >> 63 == 0 && (blockEpoch + 1 < epoch || (blockEpoch + 1 == epoch && running == 0));
    }

    /// <summary>The call got less far than its rules were evaluated: it asked only for the first of these locks.</summary>
    public void KeepAttempts(int count) => _attemptCount = count;

    private bool Attempt(PamtRef at, ulong before, AttemptMode mode, bool isRefused) => Attempt(new LockAttempt
    {
        Kind = ChangeKind.Pamt, Object = at.Index, Position = Change.PamtPosition(at.Size, PamtField.Lock), Before = before, Mode = mode, IsRefused = isRefused,
    });

    private bool Attempt(TdField word, AttemptMode mode, bool isRefused) => Attempt(new LockAttempt
    {
        Kind = ChangeKind.Td, Object = Td, Position = (int)word, Before = Of(word), Mode = mode, IsRefused = isRefused,
    });

    private bool Attempt(in LockAttempt attempt)
    {
        _attempts[_attemptCount++] = attempt;
        return attempt.IsRefused;
    }

    private int Own(PamtRef at, bool onlyExclusive)
    {
        int position = Change.PamtPosition(at.Size, PamtField.Lock);
        int count = 0;
        for (int i = 0; i < _attemptCount; i++)
        {
            ref readonly LockAttempt own = ref _attempts[i];
            if (own.Object == at.Index && own.Position == position && own.Kind == ChangeKind.Pamt && !own.IsRefused
                && (!onlyExclusive || own.Mode != AttemptMode.Shared))
            {
                count++;
            }
        }

        return count;
    }

    private bool Has(CallProgress step) => (Progress & step) != 0;

    private void Set(CallProgress step, bool reached) => Progress = reached ? Progress | step : Progress & ~step;
}
