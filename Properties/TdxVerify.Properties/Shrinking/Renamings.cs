using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Properties.Runs;

namespace TdxVerify.Properties.Shrinking;

/// <summary>
/// The pass that gives the same names everywhere in a sequence: the first logical processors, pages, GPAs and key ids, in
/// the order in which they occur. One event alone cannot be renamed, since the others would no longer concern the same
/// object.
/// </summary>
internal static class Renamings
{
    private const int BlockShift = 21;
    private const ulong OffsetInPage = 0xFFF;

    private static readonly int[] s_gpaFields = [12, 21, 30, 39];

    private delegate bool Rename(List<PlannedEvent> events, PlatformInfo platform);

    private static readonly Rename[] s_all =
    [
        .. s_gpaFields.Select<int, Rename>(shift => (events, _) => Gpas(events, gpa => gpa & ~(0x1FFUL << shift))),
        .. s_gpaFields.Select<int, Rename>(shift => (events, _) => GpaIndexes(events, shift)),
        (events, _) => Gpas(events, gpa => gpa & ~OffsetInPage),
        Blocks, PagesAndBlocks, Hkids,
        (events, _) => Lps(events, inOrder: true), (events, _) => Lps(events, inOrder: false),
    ];

    public static ShrinkPass Of(PlatformInfo platform) => new(
        _ => s_all.Length,
        (events, place) =>
        {
            List<PlannedEvent> renamed = [.. events];
            return s_all[place](renamed, platform) ? renamed : null;
        });

    private delegate void Edit(ref TraceEvent e);

    private static void ForAll(List<PlannedEvent> events, Edit edit)
    {
        for (int i = 0; i < events.Count; i++)
        {
            TraceEvent e = events[i].Event;
            edit(ref e);
            events[i] = events[i] with { Event = e };
        }
    }

    private static bool Lps(List<PlannedEvent> events, bool inOrder)
    {
        var order = new NamesInOrder<int>();
        ForAll(events, (ref TraceEvent e) =>
        {
            if (e.Kind is TraceEventKind.Seamcall or TraceEventKind.Enter or TraceEventKind.Exit)
                e.Lp = order.Map(e.Lp, number => inOrder ? number : 0);
        });
        return order.HasChanged;
    }

    private static bool Hkids(List<PlannedEvent> events, PlatformInfo platform)
    {
        var order = new NamesInOrder<ulong>();
        ForAll(events, (ref TraceEvent e) =>
        {
            ulong first = (ulong)platform.HkidFirst;
            if (e.Kind == TraceEventKind.Seamcall && (HostLeaf)LeafNames.Number(e.Input.Rax) == HostLeaf.TDH_MNG_CREATE && e.Input.Rdx - first < (ulong)platform.HkidCount)
                e.Input.Rdx = order.Map(e.Input.Rdx, number => first + (uint)number);
        });
        return order.HasChanged;
    }

    private static bool Gpas(List<PlannedEvent> events, Func<ulong, ulong> map)
    {
        bool hasChanged = false;
        ForAll(events, (ref TraceEvent e) => EventOperands.MapGpas(ref e, gpa =>
        {
            hasChanged |= map(gpa) != gpa;
            return map(gpa);
        }));
        return hasChanged;
    }

    private static bool GpaIndexes(List<PlannedEvent> events, int shift)
    {
        var order = new NamesInOrder<ulong>();
        return Gpas(events, gpa => (gpa & ~(0x1FFUL << shift)) | (order.Map(gpa >> shift & 0x1FF, number => (ulong)number) << shift));
    }

    // Pages in their order, but for large ones, which keep their place within 2 MiB; their blocks come behind.
    private static bool PagesAndBlocks(List<PlannedEvent> events, PlatformInfo platform)
    {
        HashSet<ulong> large = [.. events.Where(planned => IsLargeMapping(planned.Event)).Select(planned => planned.Event.Input.R8 >> BlockShift)];
        var small = new NamesInOrder<ulong>();
        int pages = events.SelectMany(planned => EventOperands.Pages(planned.Event))
            .Where(page => IsInTdmr(platform, page) && !large.Contains(page >> BlockShift)).Distinct().Count();
        ulong firstBlock = (ulong)(pages + 511) / 512;
        var blocks = new NamesInOrder<ulong>();
        ForAll(events, (ref TraceEvent e) => EventOperands.MapPages(ref e, page =>
        {
            if (!IsInTdmr(platform, page))
                return page;
            return large.Contains(page >> BlockShift)
                ? InBlock(page, blocks.Map(page >> BlockShift, number => (platform.PageBase >> BlockShift) + firstBlock + (uint)number))
                : small.Map(page, number => platform.PageBase + ((ulong)number << Hpa.PageShift));
        }));
        return small.HasChanged || blocks.HasChanged;
    }

    private static bool Blocks(List<PlannedEvent> events, PlatformInfo platform)
    {
        var blocks = new NamesInOrder<ulong>();
        ForAll(events, (ref TraceEvent e) => EventOperands.MapPages(ref e, page =>
            IsInTdmr(platform, page) ? InBlock(page, blocks.Map(page >> BlockShift, number => (platform.PageBase >> BlockShift) + (uint)number)) : page));
        return blocks.HasChanged;
    }

    private static ulong InBlock(ulong page, ulong block) => (block << BlockShift) | (page & ((1UL << BlockShift) - 1));

    private static bool IsInTdmr(PlatformInfo platform, ulong page) => page >= platform.PageBase && page < platform.PageEnd;

    private static bool IsLargeMapping(in TraceEvent e) =>
        e.Kind == TraceEventKind.Seamcall
        && (HostLeaf)LeafNames.Number(e.Input.Rax) is HostLeaf.TDH_MEM_PAGE_AUG or HostLeaf.TDH_MEM_PAGE_ADD
        && new PageInfo(e.Input.Rcx).Level != SeptLevel.Page4K;

    /// <summary>Numbers names from 0 on as they occur.</summary>
    private sealed class NamesInOrder<T>
        where T : notnull
    {
        private readonly Dictionary<T, T> _names = [];

        public bool HasChanged { get; private set; }

        public T Map(T name, Func<int, T> nameOf)
        {
            if (!_names.TryGetValue(name, out T? other))
            {
                other = nameOf(_names.Count);
                _names[name] = other;
            }

            HasChanged |= !EqualityComparer<T>.Default.Equals(name, other);
            return other;
        }
    }
}
