using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;

namespace TdxVerify.Properties.Threads;

/// <summary>
/// What each thread calls in a round, and what each vCPU is told to do in it. Calls of a round are meant to meet: they share
/// few GPAs and pages, and what the threads do to a GPA conflicts.
/// </summary>
/// <remarks>
/// A GPA is either mapped or unmapped in a round. Where TDH.MEM.PAGE.AUG of a GPA meets REMOVE or RELOCATE of the same
/// one, the real module halts (contention/anomalies.md, F1), and a history ends there.
/// </remarks>
internal sealed class RoundGenerator(ThreadStage stage, Random random)
{
    private const int CallsOfThread = 8;

    // Where more calls overlap there are too many interleavings to look at: the other threads rest in a round.
    private const int MostAtOnce = 4;

    private const ulong FreeState = 0;
    private const ulong BlockedState = 1;
    private const ulong TableState = 0x84;
    private const ulong NoState = ulong.MaxValue;
    private const ulong TdEpoch = 0x9210_0003_0000_0000;
    private const ulong VcpuEpoch = 0xA020_0003_0000_0006;
    private const ulong CodeAddress = 0x50_0000;

    private readonly Dictionary<ulong, ulong> _states = [];
    private readonly HashSet<ulong> _unmapped = [];
    private readonly HashSet<ulong> _relocated = [];
    private bool _shrinksTable;
    private ulong _wanted;
    private ulong _wantedPage;
    private int[] _calling = [];
    private int _entering;
    private ulong _rip = CodeAddress;

    /// <summary>The entries to be read after each round: what is done next depends on them.</summary>
    public IEnumerable<TraceEvent> ReadBack()
    {
        foreach (ulong gpa in stage.Gpas)
            yield return ThreadStage.Call(0, HostLeaf.TDH_MEM_SEPT_RD, gpa, stage.Tdr);
        yield return ThreadStage.Call(0, HostLeaf.TDH_MEM_SEPT_RD, ThreadStage.Table | SeptLevel.Page2M, stage.Tdr);
        yield return ThreadStage.Call(0, HostLeaf.TDH_PHYMEM_PAGE_RDMD, Any(stage.Pages));
        foreach (ulong vcpu in stage.Vcpus)
            yield return ThreadStage.Call(0, HostLeaf.TDH_VP_RD, vcpu, VcpuEpoch);
        yield return ThreadStage.Call(0, HostLeaf.TDH_MNG_RD, stage.Tdr, TdEpoch);
    }

    /// <summary>Takes notice of what was read.</summary>
    public void Learn(in TraceEvent read)
    {
        if ((HostLeaf)LeafNames.Number(read.Input.Rax) == HostLeaf.TDH_MEM_SEPT_RD)
            _states[read.Input.Rcx] = read.Output.Rax == 0 ? read.Output.Rdx >> 8 : NoState;
    }

    /// <summary>Begins a round.</summary>
    public void Begin()
    {
        _unmapped.Clear();
        _relocated.Clear();
        foreach (ulong gpa in stage.Gpas)
        {
            if (StateOf(gpa) is not FreeState and not NoState && (StateOf(gpa) == BlockedState || random.Next(2) == 0))
                _unmapped.Add(gpa);
        }

        _wanted = Any(stage.Gpas);
        _wantedPage = Any(stage.Pages);
        int[] threads = [.. Enumerable.Range(0, stage.Vcpus.Count)];
        random.Shuffle(threads);
        _calling = threads[..Math.Min(MostAtOnce, threads.Length)];
        _entering = random.Next(4) == 0 ? _calling[random.Next(_calling.Length)] : -1;
        _shrinksTable = random.Next(2) == 0;
    }

    /// <summary>What a vCPU is told to do in the round.</summary>
    public GuestOperation Operation()
    {
        ulong gpa = Gpa();
        // The same instruction again and again is what zero-step mitigation counts.
        if (random.Next(4) != 0)
            _rip += 16;
        return random.Next(10) switch
        {
            < 5 => Tdcall(new RegisterFile { Rax = (ulong)GuestLeaf.TDG_MEM_PAGE_ACCEPT, Rcx = gpa }),
            < 7 => Tdcall(new RegisterFile { Rax = (ulong)GuestLeaf.TDG_MEM_PAGE_ATTR_RD, Rcx = gpa }),
            < 9 => new GuestOperation { Kind = GuestOperationKind.Access, Access = GuestAccess.Write, Rip = CodeAddress, Gpa = gpa },
            _ => new GuestOperation { Kind = GuestOperationKind.Idle },
        };
    }

    /// <summary>The calls of a thread in a round.</summary>
    public IEnumerable<TraceEvent> Calls(int lp)
    {
        if (!_calling.Contains(lp))
            yield break;
        int count = 2 + random.Next(CallsOfThread - 1);
        for (int i = 0; i < count; i++)
        {
            if (_entering == lp || (_entering < 0 && random.Next(4) == 0))
                yield return ThreadStage.Call(lp, HostLeaf.TDH_VP_ENTER, stage.Vcpus[lp]);
            else if (_entering >= 0 ? random.Next(2) == 0 : random.Next(8) == 0)
                foreach (TraceEvent e in NextEpochs(lp))
                    yield return e;
            else
                yield return HostCall(lp);
        }
    }

    // What these change together must not be seen in the guest by a vCPU that entered before.
    private IEnumerable<TraceEvent> NextEpochs(int lp)
    {
        yield return ThreadStage.Call(lp, HostLeaf.TDH_MEM_TRACK, stage.Tdr);
        if (random.Next(3) != 0)
            yield return ThreadStage.Call(lp, HostLeaf.TDH_MEM_TRACK, stage.Tdr);
        yield return _unmapped.Contains(_wanted) ? Unmap(lp, _wanted) : Map(lp, _wanted);
    }

    private TraceEvent HostCall(int lp)
    {
        ulong gpa = Gpa();
        switch (random.Next(16))
        {
            case < 9:
                return random.Next(4) == 0 ? ThreadStage.Call(lp, HostLeaf.TDH_MEM_SEPT_RD, gpa, stage.Tdr)
                    : _unmapped.Contains(gpa) ? Unmap(lp, gpa) : Map(lp, gpa);
            case < 11:
                return ThreadStage.Call(lp, HostLeaf.TDH_MEM_TRACK, stage.Tdr);
            case < 14:
                return TableCall(lp);
            case 14:
                return ThreadStage.Call(lp, HostLeaf.TDH_PHYMEM_PAGE_RDMD, Any(stage.Pages));
            default:
                return ThreadStage.Call(lp, HostLeaf.TDH_MNG_RD, stage.Tdr, TdEpoch);
        }
    }

    private TraceEvent Map(int lp, ulong gpa) => StateOf(gpa) is FreeState or NoState || random.Next(3) == 0
        ? ThreadStage.Call(lp, HostLeaf.TDH_MEM_PAGE_AUG, gpa, stage.Tdr, Page())
        : ThreadStage.Call(lp, random.Next(2) == 0 ? HostLeaf.TDH_MEM_RANGE_BLOCK : HostLeaf.TDH_MEM_RANGE_UNBLOCK, gpa, stage.Tdr);

    private TraceEvent Unmap(int lp, ulong gpa) => random.Next(8) switch
    {
        < 2 => ThreadStage.Call(lp, HostLeaf.TDH_MEM_RANGE_BLOCK, gpa, stage.Tdr),
        2 => ThreadStage.Call(lp, HostLeaf.TDH_MEM_RANGE_UNBLOCK, gpa, stage.Tdr),
        3 when _relocated.Add(gpa) => ThreadStage.Call(lp, HostLeaf.TDH_MEM_PAGE_RELOCATE, gpa, stage.Tdr, Page()),
        _ => ThreadStage.Call(lp, HostLeaf.TDH_MEM_PAGE_REMOVE, gpa, stage.Tdr),
    };

    // An S-EPT page comes, is used, and goes.
    private TraceEvent TableCall(int lp)
    {
        ulong entry = ThreadStage.Table | SeptLevel.Page2M;
        if (StateOf(entry) is FreeState or NoState)
            return ThreadStage.Call(lp, HostLeaf.TDH_MEM_SEPT_ADD, entry, stage.Tdr, Any(stage.SeptPages));
        if (StateOf(entry) == TableState && !_shrinksTable)
            return ThreadStage.Call(lp, random.Next(2) == 0 ? HostLeaf.TDH_MEM_SEPT_RD : HostLeaf.TDH_MEM_RANGE_BLOCK, entry, stage.Tdr);
        return random.Next(3) switch
        {
            0 => ThreadStage.Call(lp, HostLeaf.TDH_MEM_RANGE_BLOCK, entry, stage.Tdr),
            1 => ThreadStage.Call(lp, HostLeaf.TDH_MEM_PAGE_AUG, ThreadStage.Table, stage.Tdr, Page()),
            _ => ThreadStage.Call(lp, HostLeaf.TDH_MEM_SEPT_REMOVE, entry, stage.Tdr),
        };
    }

    private GuestOperation Tdcall(in RegisterFile registers) => new() { Kind = GuestOperationKind.Tdcall, Rip = _rip, Registers = registers };

    private ulong StateOf(ulong entry) => _states.GetValueOrDefault(entry, NoState);

    // One GPA and one page are wanted by most.
    private ulong Gpa() => _entering >= 0 || random.Next(2) == 0 ? _wanted : Any(stage.Gpas);

    private ulong Page() => random.Next(2) == 0 ? _wantedPage : Any(stage.Pages);

    private ulong Any(IReadOnlyList<ulong> of) => of[random.Next(of.Count)];
}
