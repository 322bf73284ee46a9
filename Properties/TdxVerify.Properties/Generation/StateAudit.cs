using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.State;

namespace TdxVerify.Properties.Generation;

/// <summary>
/// What can be asked at the end of a sequence, by ordinary operations, about the state that it left behind: a lock
/// that was not released or not raised to host priority, a count, an owner, a BEPOCH. Without it, a fault in what a
/// call leaves shows only if the sequence happens to come back to it.
/// </summary>
/// <remarks>
/// Guests are refused by host priority and clear nothing, so locks are tried as a guest would first; after that the
/// host may take them. A guest takes a PAMT entry only shared: readers left behind show when the host then takes it. TDH.MEM.PAGE.AUG at 2 MiB takes the PAMT entry of its operand exclusively before
/// it looks at any type: with a page in use as its operand it shows who else holds the entry.
/// </remarks>
internal sealed class StateAudit(ModelPort<ObservedState> model, IReadOnlyCollection<PamtRef> touched, IReadOnlyList<LockOperation> held)
{
    private const int PagesPerBlock = 6;
    private const int EntriesPerTable = 512;
    private const int QuietEntriesPerTable = 12;

    private PlatformInfo Platform => model.Platform;

    private ref ObservedState State => ref model.Machine.State;

    /// <summary>The events, each decided on the state after the one before.</summary>
    public IEnumerable<TraceEvent> Events()
    {
        IEnumerable<TraceEvent>[] parts = [ComeToRest(), TdLocks(), PageLocks(), EntryLocks(), BlockLocks(), Reads()];
        return parts.SelectMany(part => part);
    }

    private static TraceEvent Call(HostLeaf leaf, ulong rcx, ulong rdx = 0, ulong r8 = 0, int lp = 0)
    {
        var registers = new RegisterFile { Rax = (ulong)leaf, Rcx = rcx, Rdx = rdx, R8 = r8 };
        return TraceEvent.OfSeamcall(lp, registers, registers);
    }

    private static IEnumerable<TraceEvent> Try(PortLock which, ulong argument, ulong argument2 = 0)
    {
        LockOperation attempt = LockAgents.Attempt(which, argument, argument2);
        yield return TraceEvent.OfLock(attempt, ok: true);
        yield return TraceEvent.OfUnlock(attempt, ok: true);
        if (attempt.Exclusive)
            yield break;
        var hosts = new LockOperation(which, true, false, argument, argument2);
        yield return TraceEvent.OfLock(hosts, ok: true);
        yield return TraceEvent.OfUnlock(hosts, ok: true);
    }

    // No guest runs, no one holds a lock, no interrupt is pending.
    private IEnumerable<TraceEvent> ComeToRest()
    {
        for (int lp = 0; lp < Platform.LpCount; lp++)
        {
            if (State.Lp(lp, LpField.RunningVcpu) != 0)
                yield return new TraceEvent { Kind = TraceEventKind.Exit, Lp = lp };
        }

        foreach (LockOperation operation in held)
            yield return TraceEvent.OfUnlock(operation, ok: true);
        yield return TraceEvent.OfInterrupt(false);
    }

    private List<(int Td, ulong Tdr)> Tds() =>
    [
        .. State.Live.Tds.Select(td => (td, (int)State.Td(td, TdField.TdrPage))).Where(td => TypeOf(td.Item2) == PageType.PT_TDR && State.Holder(td.Item2) == td.td)
            .Select(td => (td.td, Address(td.Item2))),
    ];

    private IEnumerable<TraceEvent> TdLocks() => Tds().SelectMany(td =>
        Try(PortLock.OpState, td.Tdr).Concat(Try(PortLock.SeptTree, td.Tdr)).Concat(Try(PortLock.Epoch, td.Tdr)));

    private IEnumerable<int> Pages() =>
        touched.GroupBy(at => at.FirstPage >> 9).SelectMany(block => block.Select(at => at.FirstPage).Distinct().Order().Take(PagesPerBlock));

    private IEnumerable<TraceEvent> PageLocks() => Pages().SelectMany(page => Try(PortLock.Pamt, Address(page)));

    private IEnumerable<TraceEvent> EntryLocks() => Entries().SelectMany(entry => Try(PortLock.SeptEntry, entry.Tdr, PageInfo.Of(entry.Gpa, entry.Level).Value));

    private List<(ulong Tdr, ulong Gpa, int Level)> Entries()
    {
        var map = new SeptMap(State);
        Dictionary<int, ulong> tdrs = Tds().ToDictionary(td => td.Td, td => td.Tdr);
        var entries = new List<(ulong, ulong, int)>();
        foreach (int table in State.Live.Tables)
        {
            if (!map.TryFind(table, out TablePlace place) || !tdrs.TryGetValue(place.Td, out ulong tdr))
                continue;
            int quiet = 0;
            for (int index = 0; index < EntriesPerTable; index++)
            {
                SeptEntry entry = State.Entry(new EntryRef(table, index));
                if (entry.Word != 0 && (entry.IsLocked || entry.HasHostPriority || quiet++ < QuietEntriesPerTable))
                    entries.Add((tdr, place.GpaOf(index), place.Level));
            }
        }

        return entries;
    }

    private IEnumerable<TraceEvent> BlockLocks()
    {
        if (FreeLargeEntry() is not { } at)
            yield break;
        foreach (int block in Pages().Select(page => page >> 9).Distinct())
            yield return Call(HostLeaf.TDH_MEM_PAGE_AUG, PageInfo.Of(at.Gpa, SeptLevel.Page2M).Value, at.Tdr, Address(block << 9));
    }

    private (ulong Tdr, ulong Gpa)? FreeLargeEntry()
    {
        var map = new SeptMap(State);
        foreach ((int td, ulong tdr) in Tds())
        {
            foreach (int table in State.Live.Tables)
            {
                if (!map.TryFind(table, out TablePlace place) || place.Td != td || place.Level != SeptLevel.Page2M)
                    continue;
                for (int index = EntriesPerTable - 1; index >= 0; index--)
                {
                    if (State.Entry(new EntryRef(table, index)).State == SeptState.FREE)
                        return (tdr, place.GpaOf(index));
                }
            }
        }

        return null;
    }

    private IEnumerable<TraceEvent> Reads()
    {
        foreach (int page in Pages())
            yield return Call(HostLeaf.TDH_PHYMEM_PAGE_RDMD, Address(page));
        foreach ((ulong tdr, ulong gpa, int level) in Entries())
            yield return Call(HostLeaf.TDH_MEM_SEPT_RD, PageInfo.Of(gpa, level).Value, tdr);
        foreach ((int _, ulong tdr) in Tds())
        {
            foreach (ulong field in Scope.TdFields.ToArray())
                yield return Call(HostLeaf.TDH_MNG_RD, tdr, field);
        }

        foreach (int vcpu in State.Live.Vcpus)
        {
            int lp = Math.Max(0, (int)State.Vcpu(vcpu, VcpuField.AssociatedLp) - 1);
            foreach (ulong field in Scope.VcpuFields.ToArray())
                yield return Call(HostLeaf.TDH_VP_RD, Address((int)State.Vcpu(vcpu, VcpuField.TdvprPage)), field, lp: lp);
        }
    }

    private PageType TypeOf(int page) => (PageType)State.Pamt(new PamtRef(0, page), PamtField.Type);

    private ulong Address(int page) => Platform.PageBase + ((ulong)page << Hpa.PageShift);
}
