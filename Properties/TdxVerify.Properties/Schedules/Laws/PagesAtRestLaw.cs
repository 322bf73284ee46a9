using TdxVerify.Model;

namespace TdxVerify.Properties.Schedules.Laws;

/// <summary>
/// When all calls have ended, S-EPT and PAMT tell the same story (facts/pamt.md): an entry maps a page that is PT_REG at its
/// level, or points to one that is PT_EPT, owned by the TD; no page is used twice; TDR.CHLDCNT is the number of 4 KiB pages
/// that the TD owns. From TD_TEARDOWN on the S-EPT of a TD means nothing any more.
/// </summary>
public sealed class PagesAtRestLaw() : InterleavingLaw(
    "sept-and-pamt-agree", "When all calls have ended, S-EPT, PAMT and TDR.CHLDCNT agree on which TD uses which page, and each page is used once.")
{
    private const int Entries = 512;
    private const int EntryBits = 9;
    private const int RootTdcsPages = 4;

    // Entries that are not FREE, of tables that no run has written: most of a platform stays as it was prepared.
    private readonly Dictionary<int, int[]> _prepared = [];
    private readonly HashSet<int> _written = [];
    private readonly HashSet<PamtRef> _used = [];

    /// <inheritdoc/>
    public override void Prepared(ConcurrentView view) => _prepared.Clear();

    /// <inheritdoc/>
    public override string? AtRest(ConcurrentView view)
    {
        ref BranchingState s = ref view.State;
        _written.Clear();
        _used.Clear();
        foreach (ref readonly Change change in view.Changes)
        {
            if (change.Kind is ChangeKind.Entry or ChangeKind.NewTable or ChangeKind.FreeTable)
                _written.Add(change.Object);
        }

        foreach (int td in s.Live.Tds)
        {
            if ((TdLifecycle)s.Td(td, TdField.Lifecycle) == TdLifecycle.TD_TEARDOWN)
                continue;
            ulong pages = s.Td(td, TdField.TdcsPages) + VcpuPages(s, td);
            bool hasTree = s.Td(td, TdField.TdcsPages) >= RootTdcsPages && (OpState)s.Td(td, TdField.OpState) != OpState.UNINITIALIZED;
            if (hasTree && Walk(s, td, (int)s.Td(td, TdField.RootTable), (int)s.Td(td, TdField.RootLevel), ref pages) is { } wrong)
                return wrong;
            if (s.Td(td, TdField.ChildCount) != pages)
                return $"TDR.CHLDCNT of TD {td} is {s.Td(td, TdField.ChildCount)}; the TD owns {pages} pages of 4 KiB";
        }

        return null;
    }

    private static ulong VcpuPages(in BranchingState s, int td)
    {
        ulong pages = 0;
        foreach (int vcpu in s.Live.Vcpus)
        {
            if (s.Pamt(new PamtRef(0, (int)s.Vcpu(vcpu, VcpuField.TdvprPage)), PamtField.Owner) == s.Td(td, TdField.TdrPage) + 1)
                pages += s.Vcpu(vcpu, VcpuField.Pages);
        }

        return pages;
    }

    private string? Walk(in BranchingState s, int td, int table, int level, ref ulong pages)
    {
        foreach (int index in Used(s, table))
        {
            Judged++;
            SeptEntry entry = s.Entry(new EntryRef(table, index));
            PamtRef page = entry.IsLeaf ? PamtRef.Of(level, entry.Target) : new PamtRef(0, s.TablePage(entry.Target));
            PageType expected = entry.IsLeaf ? PageType.PT_REG : PageType.PT_EPT;
            var type = (PageType)s.Pamt(page, PamtField.Type);
            if (type != expected)
                return $"an entry of TD {td}, {entry.State} at level {level}, uses a page that the PAMT calls {type}, not {expected}";
            if (s.Pamt(page, PamtField.Owner) != s.Td(td, TdField.TdrPage) + 1)
                return $"an entry of TD {td}, {entry.State} at level {level}, uses a page that the PAMT gives to another TD";
            if (!_used.Add(page))
                return $"an entry of TD {td}, {entry.State} at level {level}, uses a page that another entry uses too";
            pages += entry.IsLeaf ? 1UL << (EntryBits * level) : 1;
            if (!entry.IsLeaf && Walk(s, td, entry.Target, level - 1, ref pages) is { } wrong)
                return wrong;
        }

        return null;
    }

    private int[] Used(in BranchingState s, int table)
    {
        if (!_written.Contains(table) && _prepared.TryGetValue(table, out int[]? known))
            return known;
        var used = new List<int>();
        for (int index = 0; index < Entries; index++)
        {
            if (s.Entry(new EntryRef(table, index)).State != SeptState.FREE)
                used.Add(index);
        }

        int[] found = [.. used];
        if (!_written.Contains(table))
            _prepared[table] = found;
        return found;
    }
}
