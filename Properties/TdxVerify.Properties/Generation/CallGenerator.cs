using System.Runtime.InteropServices;
using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Choices;

namespace TdxVerify.Properties.Generation;

/// <summary>
/// Decodes one operation of a choice stream against the model's state: mostly a call that can succeed, sometimes a
/// near miss, a held lock, a choice point or garbage. Every prefix of a stream is meaningful by itself, and taking out
/// an operation leaves what does not depend on it as it was.
/// </summary>
public sealed class CallGenerator(World world, GenerationLimits limits)
{
    private const int RipCount = 4;
    private const int VcpusPerTd = 4;
    private const ulong FillGpa = 0xC000_0000;

    // Large pages are what calls with something wrong are rarely tried on.
    private const int FilledNearMissPercent = 20;
    private const ulong FaultRip = 0x41_0000;

    private static readonly ulong[] s_regions = [0, 0x4000_0000, 0x80_0000_0000, 0x7FFF_C000_0000];
    private static readonly HostLeaf[] s_memoryLeaves =
    [
        .. LeafNames.ModelledHost.Where(leaf => LeafOperands.Of(leaf) is [{ Kind: OperandKind.PageInfo or OperandKind.Gpa }, ..]),
    ];
    private static readonly HostLeaf[] s_leaves = [.. LeafNames.ModelledHost];
    private static readonly GuestAccess[] s_accesses = [GuestAccess.Read, GuestAccess.Write, GuestAccess.Execute];
    private Mix _mix = Mix.All[0];
    private int _fillTd = -1;
    private bool _isFilled;
    private bool _fillsByAdd;
    private int _fillLevel;
    private int _filled;
    private int _merges;
    private ulong _fillHpa;
    private ulong _faultingTdvpr;

    /// <summary>The mix of the run.</summary>
    public Mix Mix => _mix;

    /// <summary>A new run on a fresh platform.</summary>
    public void Reset(Mix mix)
    {
        _mix = mix;
        _fillTd = -1;
        _isFilled = false;
        _faultingTdvpr = 0;
        world.Reset();
    }

    /// <summary>Decodes one operation.</summary>
    public void Decode(ref ChoiceReader choices, ref ObservedState s, ref Operation operation)
    {
        operation.HasPrelude = false;
        operation.Choice = ChoicePoint.None;
        operation.Event = default;
        OperationKind kind = limits.Adjust((OperationKind)choices.Weighted(_mix.Weights));
        int lp = FreeLp(ref choices, s);
        bool isDecoded = kind switch
        {
            OperationKind.Lock => Lock(ref choices, s, ref operation),
            OperationKind.Unlock => Unlock(ref choices, ref operation),
            OperationKind.Interrupt => Interrupt(ref operation),
            OperationKind.Exit => Exit(ref choices, s, ref operation),
            _ => false,
        };
        if (isDecoded || (lp < 0 && Exit(ref choices, s, ref operation)))
            return;
        if (kind == OperationKind.Choice)
        {
            operation.Choice = (ChoicePoint)(1 + choices.Below(7));
            kind = operation.Choice < ChoicePoint.CpuidLimited && choices.Percent(50) ? OperationKind.NewTd : kind;
        }

        if (kind == OperationKind.Fault && Fault(ref choices, s, lp, ref operation))
            return;
        bool enters = kind is OperationKind.Run or OperationKind.Accept or OperationKind.Enter || operation.Choice >= ChoicePoint.CpuidLimited;
        if (!enters || !Enter(ref choices, s, kind, lp, ref operation))
            Host(ref choices, s, kind, lp, ref operation);
    }

    private bool Interrupt(ref Operation operation)
    {
        operation.Event = TraceEvent.OfInterrupt(!world.InterruptPending);
        return true;
    }

    private static Span<T> Span<T>(List<T> list) => CollectionsMarshal.AsSpan(list);

    private static RegisterFile Registers(HostLeaf leaf, ulong rcx = 0, ulong rdx = 0, ulong r8 = 0, ulong r9 = 0) =>
        new() { Rax = (ulong)leaf, Rcx = rcx, Rdx = rdx, R8 = r8, R9 = r9 };

    private static RegisterFile AtRange(HostLeaf leaf, TdView td, Range range, ulong r8 = 0) =>
        Registers(leaf, PageInfo.Of(range.Gpa, range.Level).Value, td.Tdr, r8);

    private static int FreeLp(ref ChoiceReader choices, in ObservedState s)
    {
        int lps = s.Platform.LpCount;
        int first = choices.Below(lps);
        for (int i = 0; i < lps; i++)
        {
            int lp = (first + i) % lps;
            if (s.Lp(lp, LpField.RunningVcpu) == 0)
                return lp;
        }

        return -1;
    }

    private static bool Is(in ObservedState s, TdView td, OpState state) =>
        (OpState)s.Td(td.Handle, TdField.OpState) == state
        && (TdLifecycle)s.Td(td.Handle, TdField.Lifecycle) == TdLifecycle.TD_KEYS_CONFIGURED;

    // Most TDs should have run before they are torn down.
    private static bool IsYoung(in ObservedState s, TdView td) =>
        (TdLifecycle)s.Td(td.Handle, TdField.Lifecycle) <= TdLifecycle.TD_KEYS_CONFIGURED && !Is(s, td, OpState.RUNNABLE);

    private void Host(ref ChoiceReader choices, in ObservedState s, OperationKind kind, int lp, ref Operation operation)
    {
        TdView? td = world.Tds.Count == 0 ? null : world.Tds[choices.Below(world.Tds.Count)];
        RegisterFile registers = td is null || kind == OperationKind.NewTd
            ? NewTd(ref choices, s)
            : kind switch
            {
                OperationKind.Map => Map(ref choices, s, td, ref operation),
                OperationKind.Fill => Fill(ref choices, s, td, ref operation),
                OperationKind.Block => Block(ref choices, s, td),
                OperationKind.Track => Registers(HostLeaf.TDH_MEM_TRACK, td.Tdr),
                OperationKind.Unblock => Unblock(ref choices, s, td),
                OperationKind.Remove => Remove(ref choices, s, td),
                OperationKind.Reshape => Reshape(ref choices, s, td),
                OperationKind.Inspect => Inspect(ref choices, s, td),
                OperationKind.Flush => Flush(ref choices, s, td, ref lp),
                OperationKind.Teardown when !IsYoung(s, td) || choices.Percent(12) => Teardown(ref choices, s, td, ref lp, ref operation),
                OperationKind.Writeback => Writeback(ref choices, s),
                OperationKind.Garbage when choices.Percent(60) => AnyLeaf(ref choices, s, td),
                OperationKind.Garbage => Garbage(ref choices, s),
                _ => Build(ref choices, s, td, ref operation),
            };
        if (choices.Percent(_isFilled ? FilledNearMissPercent : _mix.NearMissPercent))
            NearMiss.Alter(ref choices, world, s, ref registers);
        Scope.Keep(s.Platform, ref registers);
        if (!limits.Supports(registers.Rax))
            registers = Registers(HostLeaf.TDH_MNG_KEY_RECLAIMID);
        if (DropLockInsideTd(registers, ref operation))
            return;
        operation.Event = TraceEvent.OfSeamcall(lp, registers, registers);
    }

    // Whoever holds a lock inside a TD also holds its TDR: its pages cannot be reclaimed meanwhile, nor can a page be
    // added. Whoever holds an S-EPT entry also holds the tree, so the table that it is in stays. The module relies on
    // this: it halts where it finds an entry locked that it writes, or free that it is to unlock.
    private bool DropLockInsideTd(in RegisterFile registers, ref Operation operation)
    {
        var leaf = (HostLeaf)LeafNames.Number(registers.Rax);
        foreach (LockOperation held in world.Locks)
        {
            bool isInTheWay = leaf switch
            {
                HostLeaf.TDH_PHYMEM_PAGE_RECLAIM => held.Which is PortLock.OpState or PortLock.SeptTree or PortLock.Epoch or PortLock.SeptEntry,
                HostLeaf.TDH_MEM_PAGE_ADD => held.Which == PortLock.SeptEntry,
                HostLeaf.TDH_MEM_SEPT_REMOVE => held.Which == PortLock.SeptEntry
                    && new PageInfo(held.Argument2).Level < new PageInfo(registers.Rcx).Level,
                _ => false,
            };
            if (!isInTheWay)
                continue;
            operation.Event = TraceEvent.OfUnlock(held, ok: true);
            return true;
        }

        return false;
    }

    private RegisterFile NewTd(ref ChoiceReader choices, in ObservedState s)
    {
        int hkid = s.Platform.HkidFirst + choices.Below(s.Platform.HkidCount);
        if (choices.Percent(94))
        {
            for (int i = 0; i < s.Platform.HkidCount && (HkidState)s.Key(hkid, KeyField.State) != HkidState.HKID_FREE; i++)
                hkid = hkid + 1 < s.Platform.HkidFirst + s.Platform.HkidCount ? hkid + 1 : s.Platform.HkidFirst;
        }

        if (world.Tds.Count >= _mix.MaximumTds)
            hkid = s.Platform.HkidFirst - 1;
        return Registers(HostLeaf.TDH_MNG_CREATE, world.FreePage(s, choices.Percent(50)), (ulong)hkid);
    }

    // The step that brings the TD nearer to running; for a running TD, what keeps it alive: more vCPUs are not possible.
    private RegisterFile Build(ref ChoiceReader choices, in ObservedState s, TdView td, ref Operation operation)
    {
        int handle = td.Handle;
        switch ((TdLifecycle)s.Td(handle, TdField.Lifecycle))
        {
            case TdLifecycle.TD_HKID_ASSIGNED:
                return Registers(HostLeaf.TDH_MNG_KEY_CONFIG, td.Tdr);
            case TdLifecycle.TD_KEYS_CONFIGURED:
                break;
            default:
                int lp = 0;
                return Teardown(ref choices, s, td, ref lp, ref operation);
        }

        ulong free = world.FreePage(s, choices.Percent(30));
        switch ((OpState)s.Td(handle, TdField.OpState))
        {
            case OpState.UNINITIALIZED:
                if (AddsPage(ref choices, s.Td(handle, TdField.TdcsPages), (ulong)s.Platform.TdcsPages))
                    return Registers(HostLeaf.TDH_MNG_ADDCX, free, td.Tdr);
                ulong parameters = Scope.ParametersAddress(s.Platform);
                operation.Prelude = Parameters(ref choices, parameters, mayNameL2Vms: s.Td(handle, TdField.TdcsPages) <= (ulong)s.Platform.TdcsPages);
                operation.HasPrelude = true;
                return Registers(HostLeaf.TDH_MNG_INIT, td.Tdr, parameters);
            case OpState.INITIALIZED:
                return BuildVcpus(ref choices, s, td, free, ref operation);
            default:
                return Map(ref choices, s, td, ref operation);
        }
    }

    // Mostly until there are enough; whoever goes on does so until there are too many.
    private static bool AddsPage(ref ChoiceReader choices, ulong pages, ulong enough) =>
        pages < enough ? !choices.Percent(2) : pages == enough ? choices.Percent(4) : choices.Percent(85);

    private static TraceEvent Parameters(ref ChoiceReader choices, ulong address, bool mayNameL2Vms)
    {
        ulong value = choices.Next();
        bool illegal = value % 100 >= 90;
        byte[] image = TdParamsImage.Build(
            septVeDisable: (value >> 8 & 1) != 0,
            fiveLevels: (value >> 9 & 3) == 3,
            wideGpa: (value >> 11 & 3) == 3,
            maxVcpus: (value >> 13 & 7) == 7 ? 1 : 8,
            illegal: illegal ? (int)(value >> 20 & 0xFF) : -1,
            mayNameL2Vms);
        return TraceEvent.OfWrite(address, image);
    }

    private RegisterFile BuildVcpus(ref ChoiceReader choices, in ObservedState s, TdView td, ulong free, ref Operation operation)
    {
        foreach (VcpuView vcpu in td.Vcpus)
        {
            if ((VcpuState)s.Vcpu(vcpu.Handle, VcpuField.State) != VcpuState.VCPU_UNINITIALIZED
                || (s.Td(td.Handle, TdField.NumVcpus) >= s.Td(td.Handle, TdField.MaxVcpus) && !choices.Percent(5)))
            {
                continue;
            }

            if (AddsPage(ref choices, s.Vcpu(vcpu.Handle, VcpuField.Pages), (ulong)s.Platform.TdvpxPages + 1))
                return Registers(HostLeaf.TDH_VP_ADDCX, free, vcpu.Tdvpr);
            bool version1 = s.Platform.Profile == ModuleProfile.V1_5_05 && choices.Percent(50);
            RegisterFile init = Registers(HostLeaf.TDH_VP_INIT, vcpu.Tdvpr, 0, version1 ? (ulong)choices.Below(6) : 0);
            init.Rax |= version1 ? 1UL << 16 : 0;
            return init;
        }

        int wanted = 1 + choices.Below(VcpusPerTd);
        if (td.Vcpus.Count < wanted)
            return Registers(HostLeaf.TDH_VP_CREATE, free, td.Tdr);
        switch (choices.Below(6))
        {
            case 0:
                return Registers(HostLeaf.TDH_MR_FINALIZE, td.Tdr);
            case 1:
                ulong gpa = (Find(ref choices, s, td, td.Leaves, SeptStates.MAPPED) ?? SomeMapped(ref choices, td)).Gpa;
                return Registers(HostLeaf.TDH_MR_EXTEND, gpa + (0x100 * (ulong)choices.Below(16)) + (choices.Percent(5) ? 0x80UL : 0), td.Tdr);
            case 2 when td.Vcpus.Count > 0 && choices.Percent(5):
                return Registers(HostLeaf.TDH_VP_ADDCX, free, td.Vcpus[choices.Below(td.Vcpus.Count)].Tdvpr);
            default:
                return Map(ref choices, s, td, ref operation);
        }
    }

    private static Range SomeRange(ref ChoiceReader choices)
    {
        ulong value = choices.Next();
        ulong gpa = s_regions[value % 100 < 70 ? 0 : (int)(value >> 8 & 3)];
        gpa += (value >> 16 & 3) << SeptLevel.Shift(SeptLevel.Page2M);
        int level = (value >> 24) % 100 >= 65 ? SeptLevel.Page2M : SeptLevel.Page4K;
        if (level == SeptLevel.Page4K)
            gpa += ((value >> 40 & 15) == 15 ? 511UL : value >> 32 & 7) << Hpa.PageShift;
        return new Range(gpa, level);
    }

    private RegisterFile Map(ref ChoiceReader choices, in ObservedState s, TdView td, ref Operation operation)
    {
        bool isReady = Is(s, td, OpState.INITIALIZED) || Is(s, td, OpState.RUNNABLE);
        if (!isReady && choices.Percent(8))
        {
            RegisterFile early = AtRange(choices.OneOf<HostLeaf>(s_memoryLeaves), td, SomeRange(ref choices) with { Level = SeptLevel.Page1G }, world.FreePage(s, reuse: false));
            early.Rax |= choices.Percent(35) ? 1UL << 16 : 0;
            return early;
        }

        if (!isReady)
            return Build(ref choices, s, td, ref operation);
        Range range = SomeRange(ref choices);
        ulong page = world.FreePage(s, choices.Percent(60));
        (int reached, SeptState state) = WalkTo(s, td, range);
        bool wantsFree = !choices.Percent(10);
        for (int i = 0; i < 8 && wantsFree && state != SeptState.FREE; i++)
        {
            int other = i < 4 ? i + 1 : choices.Below(512);
            range = range with { Gpa = range.Gpa ^ ((ulong)other << SeptLevel.Shift(range.Level)) };
            (reached, state) = WalkTo(s, td, range);
        }

        if (td.Tables.Count > 0 && choices.Percent(2))
        {
            RegisterFile again = AtRange(HostLeaf.TDH_MEM_SEPT_ADD, td, td.Tables[choices.Below(td.Tables.Count)], page);
            MakeVersion1(ref choices, ref again);
            return again;
        }

        if (reached > range.Level && state == SeptState.FREE)
        {
            var table = new Range(range.Gpa & ~(SeptLevel.Size(reached) - 1), reached);
            RegisterFile add = AtRange(HostLeaf.TDH_MEM_SEPT_ADD, td, table, page);
            MakeVersion1(ref choices, ref add);
            return add;
        }

        if (state == SeptState.NL_BLOCKED && !choices.Percent(10))
            return Reopen(s, td, new Range(range.Gpa & ~(SeptLevel.Size(reached) - 1), reached));
        if (Is(s, td, OpState.INITIALIZED) && range.Level == SeptLevel.Page4K && !choices.Percent(30))
        {
            RegisterFile add = AtRange(HostLeaf.TDH_MEM_PAGE_ADD, td, range, page);
            add.R9 = Scope.SourceAddress(s.Platform);
            return add;
        }

        if (range.Level == SeptLevel.Page2M)
            page = world.FreeBlock(s, ahead: choices.Below(2));
        return AtRange(HostLeaf.TDH_MEM_PAGE_AUG, td, range, page);
    }

    private static void MakeVersion1(ref ChoiceReader choices, ref RegisterFile add)
    {
        ulong value = choices.Next();
        if (value % 100 < 75)
            return;
        add.Rax |= 1UL << 16;
        add.R9 = add.R10 = add.R11 = ulong.MaxValue;
        add.Rdx |= value >> 8 & 1;
        if ((value >> 16 & 7) == 7)
            add[(Register)((int)Register.R9 + (int)(value >> 24 & 1) + (int)(value >> 25 & 1))] ^= 1UL << (int)(value >> 32 & 63);
    }

    // A blocked S-EPT page hides all below it: unblock it, after TLB tracking.
    private static RegisterFile Reopen(in ObservedState s, TdView td, Range table)
    {
        (int level, SeptEntry entry) = WalkToEntry(s, td, table);
        return Is(s, td, OpState.RUNNABLE) && !IsTracked(s, td, level, entry)
            ? Registers(HostLeaf.TDH_MEM_TRACK, td.Tdr)
            : AtRange(HostLeaf.TDH_MEM_RANGE_UNBLOCK, td, table);
    }

    private static (int Level, SeptState State) WalkTo(in ObservedState s, TdView td, Range range)
    {
        (int level, SeptEntry entry) = WalkToEntry(s, td, range);
        return (level, entry.State);
    }

    private static (int Level, SeptEntry Entry) WalkToEntry(in ObservedState s, TdView td, Range range)
    {
        (int level, EntryRef at) = WalkToPlace(s, td, range);
        return (level, s.Entry(at));
    }

    private static (int Level, EntryRef At) WalkToPlace(in ObservedState s, TdView td, Range range)
    {
        int level = (int)s.Td(td.Handle, TdField.RootLevel);
        int table = (int)s.Td(td.Handle, TdField.RootTable);
        while (true)
        {
            var at = new EntryRef(table, SeptLevel.Index(range.Gpa, level));
            if (level <= range.Level)
                return (level, at);
            SeptEntry entry = s.Entry(at);
            if (entry.State != SeptState.NL_MAPPED)
                return (level, at);
            table = entry.Target;
            level--;
        }
    }

    // A mapped range in one of these states, looked for from a chosen place on; rather one whose TLB tracking is done.
    private static Range? Find(ref ChoiceReader choices, in ObservedState s, TdView td, List<Range> ranges, SeptStates states)
    {
        if (ranges.Count == 0)
            return null;
        int first = choices.Below(ranges.Count);
        Range? found = null;
        for (int i = 0; i < Math.Min(ranges.Count, 16); i++)
        {
            Range range = ranges[(first + i) % ranges.Count];
            (int level, SeptEntry entry) = WalkToEntry(s, td, range);
            if (level != range.Level || !states.Contains(entry.State))
                continue;
            if (!SeptStates.AnyBlocked.Contains(entry.State) || IsTracked(s, td, range.Level, entry))
                return range;
            found ??= range;
        }

        return found;
    }

    private static bool IsTracked(in ObservedState s, TdView td, int level, SeptEntry entry)
    {
        PamtRef at = entry.IsLeaf ? PamtRef.Of(level, entry.Target) : new PamtRef(0, s.TablePage(entry.Target));
        return s.Pamt(at, PamtField.Bepoch) < s.Td(td.Handle, TdField.Epoch);
    }

    private static Range SomeMapped(ref ChoiceReader choices, TdView td) => td.Leaves.Count == 0
        ? SomeRange(ref choices)
        : td.Leaves[choices.Below(td.Leaves.Count)];

    private static RegisterFile Block(ref ChoiceReader choices, in ObservedState s, TdView td)
    {
        List<Range> ranges = choices.Percent(10) ? td.Tables : td.Leaves;
        Range range = Find(ref choices, s, td, ranges, SeptStates.MAPPED | SeptStates.PENDING | SeptStates.NL_MAPPED) ?? SomeMapped(ref choices, td);
        return AtRange(HostLeaf.TDH_MEM_RANGE_BLOCK, td, range);
    }

    private static RegisterFile Unblock(ref ChoiceReader choices, in ObservedState s, TdView td)
    {
        List<Range> ranges = choices.Percent(30) ? td.Tables : td.Leaves;
        Range range = Find(ref choices, s, td, ranges, SeptStates.AnyBlocked) ?? SomeMapped(ref choices, td);
        return AtRange(HostLeaf.TDH_MEM_RANGE_UNBLOCK, td, range);
    }

    private static RegisterFile Remove(ref ChoiceReader choices, in ObservedState s, TdView td)
    {
        if (choices.Percent(20) && td.Tables.Count > 0)
        {
            Range table = Find(ref choices, s, td, td.Tables, SeptStates.NL_BLOCKED) ?? td.Tables[choices.Below(td.Tables.Count)];
            RegisterFile remove = AtRange(HostLeaf.TDH_MEM_SEPT_REMOVE, td, table);
            remove.Rax |= choices.Percent(40) ? 1UL << 16 : 0;
            return remove;
        }

        Range range = Find(ref choices, s, td, td.Leaves, SeptStates.BLOCKED | SeptStates.PENDING_BLOCKED) ?? SomeMapped(ref choices, td);
        return AtRange(HostLeaf.TDH_MEM_PAGE_REMOVE, td, range);
    }

    private RegisterFile Reshape(ref ChoiceReader choices, in ObservedState s, TdView td)
    {
        switch (choices.Below(3))
        {
            case 0:
                bool needsTracking = Is(s, td, OpState.RUNNABLE) && !choices.Percent(10);
                SeptStates ready = needsTracking ? SeptStates.BLOCKED | SeptStates.PENDING_BLOCKED : SeptStates.Leaf;
                Range small = Find(ref choices, s, td, td.Leaves, ready) ?? SomeMapped(ref choices, td);
                ulong target = td.Leaves.Count > 0 && choices.Percent(4) ? world.Address(WalkToEntry(s, td, small).Entry.Target) : world.FreePage(s, choices.Percent(30));
                return AtRange(HostLeaf.TDH_MEM_PAGE_RELOCATE, td, small, target);
            case 1:
                Range large = td.LargeLeaves.Count == 0 ? SomeMapped(ref choices, td) : td.LargeLeaves[choices.Below(td.LargeLeaves.Count)];
                return Prepare(ref choices, s, td, large)
                    ?? AtRange(HostLeaf.TDH_MEM_PAGE_DEMOTE, td, large, world.FreePage(s, choices.Percent(30)));
            default:
                Range table = td.MergeableTables.Count == 0 ? SomeMapped(ref choices, td) : SomeMergeable(ref choices, s, td);
                if (Prepare(ref choices, s, td, table) is { } first)
                    return first;
                RegisterFile promote = AtRange(HostLeaf.TDH_MEM_PAGE_PROMOTE, td, table);
                promote.Rax |= choices.Percent(35) ? 1UL << 16 : 0;
                return promote;
        }
    }

    // Often the latest, whose entries are still as alike as a demotion made them; mostly one with nothing missing, as
    // far as its first and last entries tell.
    private static Range SomeMergeable(ref ChoiceReader choices, in ObservedState s, TdView td)
    {
        int last = td.MergeableTables.Count - 1;
        int first = Math.Min(choices.Below(2 * td.MergeableTables.Count), last);
        if (choices.Percent(20))
            return td.MergeableTables[first];
        for (int i = 0; i <= Math.Min(first, 8); i++)
        {
            Range table = td.MergeableTables[first - i];
            (int level, SeptEntry entry) = WalkToEntry(s, td, table);
            if (level == table.Level && SeptStates.NonLeaf.Contains(entry.State) && IsLeaf(s, entry.Target, 0) && IsLeaf(s, entry.Target, 511))
                return table;
        }

        return td.MergeableTables[first];
    }

    private static bool IsLeaf(in ObservedState s, int table, int index) => s.Entry(new EntryRef(table, index)).IsLeaf;

    // What a running TD needs before a range may change its size: blocked, then tracked.
    private static RegisterFile? Prepare(ref ChoiceReader choices, in ObservedState s, TdView td, Range range)
    {
        if (!Is(s, td, OpState.RUNNABLE) || choices.Percent(15))
            return null;
        (int level, SeptEntry entry) = WalkToEntry(s, td, range);
        if (level != range.Level)
            return null;
        if (!SeptStates.AnyBlocked.Contains(entry.State))
            return AtRange(HostLeaf.TDH_MEM_RANGE_BLOCK, td, range);
        return IsTracked(s, td, level, entry) ? null : Registers(HostLeaf.TDH_MEM_TRACK, td.Tdr);
    }

    // Contiguous pages for a whole larger page, one after the other, each from a block of its own; then the merge.
    private RegisterFile Fill(ref ChoiceReader choices, in ObservedState s, TdView td, ref Operation operation)
    {
        if (!Is(s, td, OpState.INITIALIZED) && !Is(s, td, OpState.RUNNABLE))
            return Build(ref choices, s, td, ref operation);
        if (_fillTd != td.Handle)
            StartFill(ref choices, s, td);
        ulong size = SeptLevel.Size(_fillLevel);
        Range merged = new(FillGpa, _fillLevel + 1);
        (int reached, SeptState state) = WalkTo(s, td, new Range(FillGpa, _fillLevel));
        if (reached > _fillLevel && state == SeptState.FREE)
        {
            var table = new Range(FillGpa & ~(SeptLevel.Size(reached) - 1), reached);
            return AtRange(HostLeaf.TDH_MEM_SEPT_ADD, td, table, world.FreePage(s, reuse: false));
        }

        if (state == SeptState.NL_BLOCKED && reached > _fillLevel + 1)
            return Reopen(s, td, new Range(FillGpa & ~(SeptLevel.Size(reached) - 1), reached));
        int index = _filled < 512 ? _filled++ : FirstGap(s, td);
        if (index >= 0)
        {
            bool adds = _fillsByAdd && _fillLevel == SeptLevel.Page4K && Is(s, td, OpState.INITIALIZED);
            RegisterFile map = AtRange(
                adds ? HostLeaf.TDH_MEM_PAGE_ADD : HostLeaf.TDH_MEM_PAGE_AUG, td,
                new Range(FillGpa + ((uint)index * size), _fillLevel), _fillHpa + ((uint)index * size));
            map.R9 = adds ? Scope.SourceAddress(s.Platform) : 0;
            return map;
        }

        _isFilled = true;

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
                : TraceEvent.OfLock(new LockOperation(PortLock.Pamt, value % 4 != 0, value % 8 == 0, _fillHpa), ok: true);
            operation.HasPrelude = true;
        }

        return kind switch
        {
            0 => Reshape(ref choices, s, td),
            1 => Inspect(ref choices, s, td),
            2 => Block(ref choices, s, td),
            3 => Map(ref choices, s, td, ref operation),
            _ => AnyLeaf(ref choices, s, td),
        };
    }

    // A call with operands of the right kind at any time in the life of its TD.
    private RegisterFile AnyLeaf(ref ChoiceReader choices, in ObservedState s, TdView td)
    {
        HostLeaf leaf = choices.OneOf<HostLeaf>(s_leaves);
        RegisterFile registers = Registers(leaf);
        registers.Rax |= choices.Percent(15) ? 1UL << 16 : 0;
        foreach (LeafOperand operand in LeafOperands.Of(leaf))
        {
            registers[operand.Register] = operand.Kind switch
            {
                OperandKind.Td => td.Tdr,
                OperandKind.Vcpu => td.Vcpus.Count == 0 ? td.Tdr : td.Vcpus[0].Tdvpr,
                OperandKind.Page => world.FreePage(s, reuse: true),
                OperandKind.Memory => Scope.ParametersAddress(s.Platform),
                OperandKind.PageInfo or OperandKind.Gpa => SomeMapped(ref choices, td) is var range ? PageInfo.Of(range.Gpa, range.Level).Value : 0,
                OperandKind.Number => (ulong)s.Platform.HkidFirst,
                _ => 0,
            };
        }

        return registers;
    }

    // Where a call of the first pass failed; -1: nowhere.
    private int FirstGap(in ObservedState s, TdView td)
    {
        (int level, EntryRef first) = WalkToPlace(s, td, new Range(FillGpa, _fillLevel));
        for (int index = 0; level == _fillLevel && index < 512; index++)
        {
            if (s.Entry(first with { Index = index }).State == SeptState.FREE)
                return index;
        }

        return -1;
    }

    private void StartFill(ref ChoiceReader choices, in ObservedState s, TdView td)
    {
        _fillTd = td.Handle;
        _filled = 0;
        _merges = 0;
        _fillsByAdd = choices.Percent(80);
        _fillLevel = choices.Percent(60) ? SeptLevel.Page2M : SeptLevel.Page4K;
        _fillHpa = _fillLevel == SeptLevel.Page4K ? world.FreeBlock(s, ahead: 0) : world.FillRange;
    }

    private RegisterFile Inspect(ref ChoiceReader choices, in ObservedState s, TdView td)
    {
        switch (choices.Below(4))
        {
            case 0:
                Range range = choices.Percent(30) && td.Tables.Count > 0 ? td.Tables[choices.Below(td.Tables.Count)] : SomeMapped(ref choices, td);
                return AtRange(HostLeaf.TDH_MEM_SEPT_RD, td, range);
            case 1:
                return Registers(HostLeaf.TDH_PHYMEM_PAGE_RDMD, NearMiss.SomePage(ref choices, world, s));
            case 2:
                return Registers(HostLeaf.TDH_MNG_RD, td.Tdr, choices.OneOf(Scope.TdFields));
            default:
                return Registers(
                    HostLeaf.TDH_VP_RD, td.Vcpus.Count == 0 ? world.FreePage(s, reuse: false) : td.Vcpus[choices.Below(td.Vcpus.Count)].Tdvpr,
                    choices.OneOf(Scope.VcpuFields));
        }
    }

    private static RegisterFile Flush(ref ChoiceReader choices, in ObservedState s, TdView td, ref int lp)
    {
        if (td.Vcpus.Count == 0)
            return Registers(choices.Percent(10) ? HostLeaf.TDH_VP_FLUSH : HostLeaf.TDH_MEM_TRACK, td.Tdr);
        VcpuView vcpu = td.Vcpus[choices.Below(td.Vcpus.Count)];
        int associated = (int)s.Vcpu(vcpu.Handle, VcpuField.AssociatedLp) - 1;
        if (associated >= 0 && s.Lp(associated, LpField.RunningVcpu) == 0 && !choices.Percent(10))
            lp = associated;
        return Registers(HostLeaf.TDH_VP_FLUSH, vcpu.Tdvpr);
    }

    private RegisterFile Teardown(ref ChoiceReader choices, in ObservedState s, TdView td, ref int lp, ref Operation operation)
    {
        bool isEarly = choices.Percent(8);
        switch ((TdLifecycle)s.Td(td.Handle, TdField.Lifecycle))
        {
            case TdLifecycle.TD_HKID_ASSIGNED:
                return Registers(HostLeaf.TDH_MNG_VPFLUSHDONE, td.Tdr);
            case TdLifecycle.TD_KEYS_CONFIGURED when !isEarly:
                foreach (VcpuView vcpu in td.Vcpus)
                {
                    int associated = (int)s.Vcpu(vcpu.Handle, VcpuField.AssociatedLp) - 1;
                    if (associated < 0 || s.Lp(associated, LpField.RunningVcpu) != 0)
                        continue;
                    lp = associated;
                    return Registers(HostLeaf.TDH_VP_FLUSH, vcpu.Tdvpr);
                }

                return Registers(HostLeaf.TDH_MNG_VPFLUSHDONE, td.Tdr);
            case TdLifecycle.TD_KEYS_CONFIGURED when td.Pages.Count == 0 || choices.Percent(60):
                return Registers(HostLeaf.TDH_MNG_VPFLUSHDONE, td.Tdr);
            case TdLifecycle.TD_BLOCKED when !isEarly:
                if (Another(s, td, TdLifecycle.TD_KEYS_CONFIGURED) is { } other && s.Global(GlobalField.WritebackPoint) != 0 && choices.Percent(40))
                    return Teardown(ref choices, s, other, ref lp, ref operation);
                ToggleInterrupt(ref choices, ref operation);
                return s.Key((int)s.Td(td.Handle, TdField.Hkid), KeyField.WritebackBitmap) != 0 && !choices.Percent(8)
                    ? Registers(HostLeaf.TDH_PHYMEM_CACHE_WB, s.Global(GlobalField.WritebackPoint) == 0 ? 0UL : 1)
                    : Registers(HostLeaf.TDH_MNG_KEY_FREEID, td.Tdr);
            default:
                return Registers(HostLeaf.TDH_PHYMEM_PAGE_RECLAIM, PageToReclaim(ref choices, s, td));
        }
    }

    private TdView? Another(in ObservedState s, TdView td, TdLifecycle lifecycle)
    {
        foreach (TdView other in world.Tds)
        {
            if (other != td && (TdLifecycle)s.Td(other.Handle, TdField.Lifecycle) == lifecycle)
                return other;
        }

        return null;
    }

    // Interrupts decide whether the caches are written back in one call or in several.
    private void ToggleInterrupt(ref ChoiceReader choices, ref Operation operation)
    {
        if (!choices.Percent(world.InterruptPending ? 25 : 12) || limits.Adjust(OperationKind.Interrupt) != OperationKind.Interrupt)
            return;
        operation.Prelude = TraceEvent.OfInterrupt(!world.InterruptPending);
        operation.HasPrelude = true;
    }

    private static ulong PageToReclaim(ref ChoiceReader choices, in ObservedState s, TdView td)
    {
        if (choices.Percent(3))
            return td.Tdr;
        ulong owner = s.Td(td.Handle, TdField.TdrPage) + 1;
        while (td.Pages.Count > 0)
        {
            int place = td.Pages.Count - 1 - choices.Below(Math.Min(4, td.Pages.Count));
            (ulong hpa, int size) = td.Pages[place];
            PamtRef at = PamtRef.Of(size, (int)((hpa - s.Platform.PageBase) >> Hpa.PageShift));
            if ((PageType)s.Pamt(at, PamtField.Type) != PageType.PT_NDA && s.Pamt(at, PamtField.Owner) == owner)
                return hpa;
            td.Pages.RemoveAt(place);
        }

        return td.Tdr;
    }

    private RegisterFile Writeback(ref ChoiceReader choices, in ObservedState s) => choices.Below(3) switch
    {
        0 => Registers(HostLeaf.TDH_PHYMEM_PAGE_WBINVD, world.FreePage(s, reuse: true) | ((ulong)choices.Below(64) << s.Platform.HkidStartBit)),
        1 => Registers(HostLeaf.TDH_PHYMEM_CACHE_WB),
        _ => Registers(HostLeaf.TDH_PHYMEM_CACHE_WB, 1),
    };

    private RegisterFile Garbage(ref ChoiceReader choices, in ObservedState s)
    {
        IReadOnlyList<HostLeaf> leaves = LeafNames.ModelledHost;
        RegisterFile registers = Registers(leaves[choices.Below(leaves.Count)]);
        if (choices.Percent(20))
            registers.Rax = choices.OneOf<ulong>([42, 46, 99, 0xFFFF, 1UL << 32, 1UL << 24, 0x1_0000]) | (registers.Rax & 0xFF_0000);
        registers.Rcx = choices.Percent(50) ? NearMiss.SomePage(ref choices, world, s) : choices.Garbage();
        registers.Rdx = choices.Percent(50) ? NearMiss.SomePage(ref choices, world, s) : choices.Garbage();
        registers.R8 = choices.Garbage();
        registers.R9 = registers.R8 << 1;
        registers.R12 = registers.R8 ^ registers.Rdx;
        return registers;
    }

    private bool Enter(ref ChoiceReader choices, in ObservedState s, OperationKind kind, int lp, ref Operation operation)
    {
        if (world.Vcpus.Count == 0)
            return false;
        VcpuView vcpu = SomeVcpu(ref choices, s);
        TdView td = world.Td(vcpu.Td);
        if (!Is(s, td, OpState.RUNNABLE) && !choices.Percent(4))
            return false;
        int associated = (int)s.Vcpu(vcpu.Handle, VcpuField.AssociatedLp) - 1;
        if (associated >= 0 && s.Lp(associated, LpField.RunningVcpu) == 0 && !choices.Percent(8))
            lp = associated;
        bool repeats = kind != OperationKind.Accept && vcpu.WasSubmitted && !choices.Percent(45);
        if (!repeats)
        {
            operation.Prelude = TraceEvent.OfGuest(vcpu.Tdvpr, kind == OperationKind.Accept ? Accept(ref choices, s, td) : GuestOperation(ref choices, td));
            operation.HasPrelude = true;
            vcpu.WasSubmitted = true;
            vcpu.IsFaulting = false;
        }

        RegisterFile registers = Registers(HostLeaf.TDH_VP_ENTER, vcpu.Tdvpr);
        if (choices.Percent(_mix.NearMissPercent / 3))
            registers.Rcx ^= 1UL << choices.OneOf<int>([52, 53, 54, 12, 0]);
        operation.Event = kind == OperationKind.Enter && limits.CanEnterInHalves
            ? TraceEvent.OfEnter(lp, registers)
            : TraceEvent.OfSeamcall(lp, registers, registers);
        return true;
    }

    private bool Fault(ref ChoiceReader choices, in ObservedState s, int lp, ref Operation operation)
    {
        if (FaultingVcpu(ref choices, s) is not { } vcpu)
            return false;
        TdView td = world.Td(vcpu.Td);
        int listed = (int)s.Vcpu(vcpu.Handle, VcpuField.FaultListLength);
        if (listed > 0 && choices.Percent(60))
        {
            var range = new Range(s.FaultingGpa(vcpu.Handle, choices.Below(listed)) & ~(ulong)(Hpa.PageSize - 1), SeptLevel.Page4K);
            if (Resolve(ref choices, s, td, vcpu, range, lp, ref operation))
                return true;
        }

        if (!vcpu.IsFaulting || choices.Percent(listed > 0 ? 30 : 8))
        {
            Range range = choices.Percent(40) && Find(ref choices, s, td, td.Leaves, SeptStates.AnyBlocked) is { } blocked ? blocked : SomeRange(ref choices);
            var access = new GuestOperation
            {
                Kind = GuestOperationKind.Access,
                Access = choices.OneOf<GuestAccess>(s_accesses),
                Rip = FaultRip,
                Gpa = range.Gpa + (choices.Percent(10) ? 0x123UL : 0),
            };
            operation.Prelude = TraceEvent.OfGuest(vcpu.Tdvpr, access);
            operation.HasPrelude = true;
            vcpu.WasSubmitted = true;
            vcpu.IsFaulting = true;
        }

        RegisterFile enter = Registers(HostLeaf.TDH_VP_ENTER, vcpu.Tdvpr);
        operation.Event = TraceEvent.OfSeamcall(LpOf(s, vcpu, lp), enter, enter);
        return true;
    }

    // The same as last time, as long as it can be entered.
    private VcpuView? FaultingVcpu(ref ChoiceReader choices, in ObservedState s)
    {
        int first = choices.Below(Math.Max(1, world.Vcpus.Count));
        if (choices.Percent(97))
        {
            foreach (VcpuView vcpu in world.Vcpus)
            {
                if (vcpu.Tdvpr == _faultingTdvpr && CanRun(s, vcpu))
                    return vcpu;
            }
        }

        for (int i = 0; i < world.Vcpus.Count; i++)
        {
            VcpuView vcpu = world.Vcpus[(first + i) % world.Vcpus.Count];
            if (!CanRun(s, vcpu))
                continue;
            _faultingTdvpr = vcpu.Tdvpr;
            return vcpu;
        }

        return null;
    }

    private bool CanRun(in ObservedState s, VcpuView vcpu)
    {
        int associated = (int)s.Vcpu(vcpu.Handle, VcpuField.AssociatedLp) - 1;
        return (VcpuState)s.Vcpu(vcpu.Handle, VcpuField.State) == VcpuState.VCPU_READY
            && (associated < 0 || s.Lp(associated, LpField.RunningVcpu) == 0)
            && Is(s, world.Td(vcpu.Td), OpState.RUNNABLE);
    }

    private static int LpOf(in ObservedState s, VcpuView vcpu, int free) =>
        (int)s.Vcpu(vcpu.Handle, VcpuField.AssociatedLp) is > 0 and var associated ? associated - 1 : free;

    // The next step towards an entry that translates: only then is the vCPU let in again.
    private bool Resolve(ref ChoiceReader choices, in ObservedState s, TdView td, VcpuView vcpu, Range range, int lp, ref Operation operation)
    {
        (int level, SeptEntry entry) = WalkToEntry(s, td, range);
        var at = new Range(range.Gpa & ~(SeptLevel.Size(level) - 1), level);
        RegisterFile registers;
        switch (entry.State)
        {
            case SeptState.FREE:
                registers = level > SeptLevel.Page4K
                    ? AtRange(HostLeaf.TDH_MEM_SEPT_ADD, td, at, world.FreePage(s, reuse: true))
                    : AtRange(HostLeaf.TDH_MEM_PAGE_AUG, td, at, world.FreePage(s, reuse: true));
                break;
            case SeptState.NL_BLOCKED or SeptState.BLOCKED or SeptState.PENDING_BLOCKED:
                registers = Reopen(s, td, at);
                break;
            case SeptState.PENDING:
                foreach (VcpuView other in td.Vcpus)
                {
                    if (other == vcpu || !CanRun(s, other))
                        continue;
                    operation.Prelude = TraceEvent.OfGuest(other.Tdvpr, Tdcall(ref choices, GuestLeaf.TDG_MEM_PAGE_ACCEPT, PageInfo.Of(at.Gpa, at.Level).Value));
                    operation.HasPrelude = true;
                    other.WasSubmitted = true;
                    other.IsFaulting = false;
                    registers = Registers(HostLeaf.TDH_VP_ENTER, other.Tdvpr);
                    operation.Event = TraceEvent.OfSeamcall(LpOf(s, other, lp), registers, registers);
                    return true;
                }

                return false;
            default:
                return false;
        }

        operation.Event = TraceEvent.OfSeamcall(lp, registers, registers);
        return true;
    }

    // Mostly one that is ready to be entered.
    private VcpuView SomeVcpu(ref ChoiceReader choices, in ObservedState s)
    {
        int first = choices.Below(world.Vcpus.Count);
        if (choices.Percent(6))
            return world.Vcpus[first];
        for (int i = 0; i < world.Vcpus.Count; i++)
        {
            VcpuView vcpu = world.Vcpus[(first + i) % world.Vcpus.Count];
            int associated = (int)s.Vcpu(vcpu.Handle, VcpuField.AssociatedLp) - 1;
            if ((VcpuState)s.Vcpu(vcpu.Handle, VcpuField.State) == VcpuState.VCPU_READY
                && (associated < 0 || s.Lp(associated, LpField.RunningVcpu) == 0))
            {
                return vcpu;
            }
        }

        return world.Vcpus[first];
    }

    private static GuestOperation Accept(ref ChoiceReader choices, in ObservedState s, TdView td)
    {
        Range range = Find(ref choices, s, td, td.Leaves, SeptStates.PENDING) ?? SomeMapped(ref choices, td);
        return Tdcall(ref choices, GuestLeaf.TDG_MEM_PAGE_ACCEPT, PageInfo.Of(range.Gpa, range.Level).Value);
    }

    private static GuestOperation Tdcall(ref ChoiceReader choices, GuestLeaf leaf, ulong rcx) => new()
    {
        Kind = GuestOperationKind.Tdcall,
        Rip = 0x40_0000 + (0x10 * (ulong)choices.Below(RipCount)),
        Registers = new RegisterFile { Rax = (ulong)leaf, Rcx = rcx },
    };

    private GuestOperation GuestOperation(ref ChoiceReader choices, TdView td)
    {
        Range range = choices.Percent(60) ? SomeMapped(ref choices, td) : SomeRange(ref choices);
        int kind = choices.Weighted([60, 10, 8, 8, 6, 4, 2, 2]);
        if (kind is 1 or 2 or 3 && choices.Percent(6))
            range = range with { Gpa = range.Gpa ^ (1UL << choices.OneOf<int>([47, 48, 51])) };
        switch (kind)
        {
            case 0:
                ulong gpa = range.Gpa + (choices.Percent(20) ? 0x123UL : 0);
                if (choices.Percent(6))
                    gpa |= 1UL << choices.OneOf<int>([47, 48, 51]);
                return new GuestOperation
                {
                    Kind = GuestOperationKind.Access,
                    Access = choices.OneOf<GuestAccess>(s_accesses),
                    Rip = 0x40_0000 + (0x10 * (ulong)choices.Below(RipCount)),
                    Gpa = gpa,
                };
            case 1:
                return Tdcall(ref choices, GuestLeaf.TDG_MEM_PAGE_ACCEPT, PageInfo.Of(range.Gpa, range.Level).Value ^ (choices.Percent(15) ? 1UL << choices.Below(14) : 0));
            case 2:
                return Tdcall(ref choices, GuestLeaf.TDG_MEM_PAGE_ATTR_RD, range.Gpa + (choices.Percent(20) ? 0x777UL : 0));
            case 3:
                GuestOperation write = Tdcall(ref choices, GuestLeaf.TDG_MEM_PAGE_ATTR_WR, PageInfo.Of(range.Gpa, range.Level).Value ^ (choices.Percent(10) ? 1UL << choices.Below(14) : 0));
                if (choices.Percent(20))
                    write.Registers.Rdx = 1UL << choices.Below(64);
                if (choices.Percent(20))
                    write.Registers.R8 = 1UL << choices.Below(64);
                return write;
            case 4:
                GuestOperation call = Tdcall(ref choices, GuestLeaf.TDG_VP_VMCALL, 0xFC00);
                if (choices.Percent(30))
                    call.Registers.Rcx = choices.Next() & 0xFFFF;
                call.Registers.R12 = 0x1234;
                return call;
            case 5:
                return Tdcall(ref choices, GuestLeaf.TDG_VP_INFO, 0);
            case 6:
                return Tdcall(ref choices, GuestLeaf.TDG_VP_VEINFO_GET, 0);
            default:
                GuestOperation unknown = Tdcall(ref choices, GuestLeaf.TDG_VP_INFO, 0);
                unknown.Registers.Rax = choices.OneOf<ulong>([64, 0x63, 0x1_0001, 0x1_0000_0001, 1UL << 63]);
                return unknown;
        }
    }

    private static bool Exit(ref ChoiceReader choices, in ObservedState s, ref Operation operation)
    {
        int lps = s.Platform.LpCount;
        int first = choices.Below(lps);
        for (int i = 0; i < lps; i++)
        {
            int lp = (first + i) % lps;
            if (s.Lp(lp, LpField.RunningVcpu) == 0)
                continue;
            operation.Event = new TraceEvent { Kind = TraceEventKind.Exit, Lp = lp };
            return true;
        }

        return false;
    }

    private bool Lock(ref ChoiceReader choices, in ObservedState s, ref Operation operation)
    {
        if (world.Tds.Count == 0 || world.Locks.Count >= 4)
            return false;
        TdView td = world.Tds[choices.Below(world.Tds.Count)];
        if ((TdLifecycle)s.Td(td.Handle, TdField.Lifecycle) == TdLifecycle.TD_TEARDOWN)
            return false;
        Range range = choices.Percent(20) && td.Tables.Count > 0 ? td.Tables[choices.Below(td.Tables.Count)] : SomeMapped(ref choices, td);
        PortLock which = limits.Adjust((PortLock)(1 + choices.Weighted([2, 3, 5, 3, 6, 6, 2])));
        if (which == 0)
            return false;
        ulong argument = which switch
        {
            PortLock.Pamt => PageToLock(ref choices, s, td, range),
            PortLock.Tdvps when td.Vcpus.Count > 0 => td.Vcpus[choices.Below(td.Vcpus.Count)].Tdvpr,
            _ => td.Tdr,
        };
        bool exclusive = choices.Percent(50);
        bool guest = LockAgents.CanBeGuests(which, exclusive) && choices.Percent(40);
        operation.Event = TraceEvent.OfLock(
            new LockOperation(
                which, exclusive, guest, argument,
                which == PortLock.SeptEntry ? PageInfo.Of(range.Gpa, range.Level).Value : 0),
            ok: true);
        return true;
    }

    // Large pages, and pages that a later call takes because an S-EPT entry points to them: no operand names those.
    private ulong PageToLock(ref ChoiceReader choices, in ObservedState s, TdView td, Range range)
    {
        int kind = choices.Below(5);
        if (kind < 2 && td.LargePages.Count > 0)
            return td.LargePages[choices.Below(td.LargePages.Count)].Hpa;
        if (kind > 3 || (td.Leaves.Count == 0 && td.Tables.Count == 0))
            return NearMiss.SomePage(ref choices, world, s);
        (int level, SeptEntry entry) = WalkToEntry(s, td, range);
        if (level != range.Level)
            return NearMiss.SomePage(ref choices, world, s);
        return entry.IsLeaf ? world.Address(entry.Target)
            : SeptStates.NonLeaf.Contains(entry.State) ? world.Address(s.TablePage(entry.Target))
            : NearMiss.SomePage(ref choices, world, s);
    }

    private bool Unlock(ref ChoiceReader choices, ref Operation operation)
    {
        if (world.Locks.Count == 0)
            return false;
        operation.Event = TraceEvent.OfUnlock(choices.OneOf<LockOperation>(Span(world.Locks)), ok: true);
        return true;
    }
}
