using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Choices;
using static TdxVerify.Properties.Generation.Calls;
using static TdxVerify.Properties.Generation.TdSearch;

namespace TdxVerify.Properties.Generation;

/// <summary>
/// Fills a whole table with contiguous pages, one call after the other, merges it, and then has all leaves meet the large
/// page: one takes 512 calls, so a run does it for one TD.
/// </summary>
internal sealed class LargePageFill(World world, GenerationLimits limits, BuildChoice build, ReshapeChoice reshape, AnyCall any)
{
    private const ulong FillGpa = 0xC000_0000;

    private int _td = -1;
    private bool _byAdd;
    private int _level;
    private int _filled;
    private int _merges;
    private ulong _hpa;

    /// <summary>Nothing is missing any more in the table.</summary>
    public bool IsFilled { get; private set; }

    /// <summary>A new run.</summary>
    public void Reset()
    {
        _td = -1;
        IsFilled = false;
    }

    /// <summary>The next page of the table; then the merge; then any call on what came of it.</summary>
    public RegisterFile Next(ref ChoiceReader choices, in ObservedState s, TdView td, ref Operation operation)
    {
        if (!Is(s, td, OpState.INITIALIZED) && !Is(s, td, OpState.RUNNABLE))
            return build.Next(ref choices, s, td, ref operation);
        if (_td != td.Handle)
            StartFill(ref choices, s, td);
        ulong size = SeptLevel.Size(_level);
        Range merged = new(FillGpa, _level + 1);
        (int reached, SeptState state) = WalkTo(s, td, new Range(FillGpa, _level));
        if (reached > _level && state == SeptState.FREE)
        {
            var table = new Range(FillGpa & ~(SeptLevel.Size(reached) - 1), reached);
            return AtRange(HostLeaf.TDH_MEM_SEPT_ADD, td, table, world.FreePage(s, reuse: false));
        }

        if (state == SeptState.NL_BLOCKED && reached > _level + 1)
            return ReshapeChoice.Reopen(s, td, new Range(FillGpa & ~(SeptLevel.Size(reached) - 1), reached));
        int index = _filled < 512 ? _filled++ : FirstGap(s, td);
        if (index >= 0)
        {
            bool adds = _byAdd && _level == SeptLevel.Page4K && Is(s, td, OpState.INITIALIZED);
            RegisterFile map = AtRange(
                adds ? HostLeaf.TDH_MEM_PAGE_ADD : HostLeaf.TDH_MEM_PAGE_AUG, td,
                new Range(FillGpa + ((uint)index * size), _level), _hpa + ((uint)index * size));
            map.R9 = adds ? Scope.SourceAddress(s.Platform) : 0;
            return map;
        }

        IsFilled = true;
        (int level, SeptEntry entry) = WalkToEntry(s, td, merged);
        if (level == merged.Level && entry.State == SeptState.NL_MAPPED && Is(s, td, OpState.RUNNABLE))
            return AtRange(HostLeaf.TDH_MEM_RANGE_BLOCK, td, merged);
        if (level == merged.Level && entry.State == SeptState.NL_BLOCKED && !IsTracked(s, td, merged.Level, entry))
            return Registers(HostLeaf.TDH_MEM_TRACK, td.Tdr);
        return level == merged.Level && SeptStates.NonLeaf.Contains(entry.State) && _merges++ < 3
            ? AtRange(HostLeaf.TDH_MEM_PAGE_PROMOTE, td, merged)
            : Filled(ref choices, s, td, ref operation);
    }

    // Every leaf meets the merged page, and finds it locked by another now and then.
    private RegisterFile Filled(ref ChoiceReader choices, in ObservedState s, TdView td, ref Operation operation)
    {
        int kind = choices.Below(6);
        if (limits.Adjust(PortLock.Pamt) != 0 && choices.Percent(12))
        {
            int held = world.Locks.FindIndex(held => held.Which == PortLock.Pamt);
            ulong value = choices.Next();
            operation.Prelude = held >= 0
                ? TraceEvent.OfUnlock(world.Locks[held], ok: true)
                : TraceEvent.OfLock(new LockOperation(PortLock.Pamt, value % 4 != 0, value % 8 == 0, _hpa), ok: true);
            operation.HasPrelude = true;
        }

        return kind switch
        {
            0 => reshape.Reshape(ref choices, s, td),
            1 => any.Inspect(ref choices, s, td),
            2 => ReshapeChoice.Block(ref choices, s, td),
            3 => build.Map(ref choices, s, td, ref operation),
            _ => any.AnyLeaf(ref choices, s, td),
        };
    }

    // Where a call of the first pass failed; -1: nowhere.
    private int FirstGap(in ObservedState s, TdView td)
    {
        (int level, EntryRef first) = WalkToPlace(s, td, new Range(FillGpa, _level));
        for (int index = 0; level == _level && index < 512; index++)
        {
            if (s.Entry(first with { Index = index }).State == SeptState.FREE)
                return index;
        }

        return -1;
    }

    private void StartFill(ref ChoiceReader choices, in ObservedState s, TdView td)
    {
        _td = td.Handle;
        _filled = 0;
        _merges = 0;
        _byAdd = choices.Percent(80);
        _level = choices.Percent(60) ? SeptLevel.Page2M : SeptLevel.Page4K;
        _hpa = _level == SeptLevel.Page4K ? world.FreeBlock(s, ahead: 0) : world.FillRange;
    }
}
