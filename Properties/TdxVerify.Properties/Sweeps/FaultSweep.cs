using TdxVerify.Abi;
using TdxVerify.Model;
using TdxVerify.Properties.Runs;

namespace TdxVerify.Properties.Sweeps;

/// <summary>
/// Calls with one and with two things wrong, for every leaf, in every combination: they show which error wins, and
/// what a refused call leaves behind. Random sequences hardly ever hit two rare errors in one call.
/// </summary>
/// <remarks>
/// A call that fails changes nothing, so one stage serves for many calls. Where a call succeeds after all, the stage
/// is used up and the sweep goes on with a new one, as another sequence.
/// </remarks>
internal sealed class FaultSweep : ISweep
{
    private readonly LeafSet<ObservedState> _leaves;
    private readonly HostLeaf _leaf;
    private readonly HashSet<string> _harmless = [];
    private int _call;
    private int _first;
    private int _second = -1;

    /// <summary>A sweep of all the calls of a leaf in <see cref="SweepCall.Of"/>.</summary>
    public FaultSweep(LeafSet<ObservedState> leaves, HostLeaf leaf)
    {
        _leaves = leaves;
        _leaf = leaf;
    }

    /// <inheritdoc/>
    public string Name => LeafId.Of(_leaf).Name;

    /// <inheritdoc/>
    public bool IsDone { get; private set; }

    /// <summary>Goes on from a fresh platform until a call succeeds or all of one call is done.</summary>
    /// <returns>The first broken law; null: all held.</returns>
    public RunFailure? Run(EventRunner events, List<PlannedEvent> record)
    {
        events.Reset();
        var run = new SweepRunner(events, record);
        SweepStage stage = SweepStage.Set(run, With1G(_leaf), withMergeable: _leaf == HostLeaf.TDH_MEM_PAGE_PROMOTE);
        List<SweepCall> calls = [.. SweepCall.Of(_leaf, stage)];
        if (_call >= calls.Count)
        {
            IsDone = true;
            return run.Failure;
        }

        SweepCall call = calls[_call];
        List<SweepFault> faults = SweepFault.Of(call, stage, _leaves);
        for (; _first < faults.Count; _first++, _second = -1)
        {
            // First with nothing else wrong; what does no harm by itself is combined with what does.
            for (; _second < faults.Count; _second++)
            {
                if (run.Failure is not null)
                    return run.Failure;
                SweepFault first = faults[_first];
                SweepFault? second = _second < 0 ? null : faults[_second];
                if (!AreCombined(_first, _second, first, second))
                    continue;
                if (!Try(run, call, first, second))
                    continue;
                if (second is null)
                    _harmless.Add(first.Name);
                _second++;
                return run.Failure;
            }
        }

        ulong behind = call.Level < 0 ? 0 : stage.Behind(Hpa(call.Registers.Rdx), new PageInfo(call.Registers.Rcx).Gpa, call.Level);
        if (!run.Call(call.Registers, call.Lp).IsError)
            Tell(run, call, [behind, call.Page is { } page ? call.Registers[page] : 0, stage.MergeableBlock, stage.MergeableBlock + Abi.Hpa.PageSize]);
        _call++;
        IsDone = _call == calls.Count;
        _first = 0;
        _second = -1;
        _harmless.Clear();
        return run.Failure;
    }

    // Elsewhere a 1 GiB page matters only as an operand, see LargePageSweep: its 513 calls would be most of a sequence.
    private static bool With1G(HostLeaf leaf) => leaf is HostLeaf.TDH_MEM_PAGE_REMOVE or HostLeaf.TDH_MEM_PAGE_DEMOTE
        or HostLeaf.TDH_MEM_RANGE_BLOCK or HostLeaf.TDH_MEM_RANGE_UNBLOCK or HostLeaf.TDH_MEM_SEPT_RD
        or HostLeaf.TDH_PHYMEM_PAGE_RECLAIM or HostLeaf.TDH_PHYMEM_PAGE_RDMD;

    // Some operands have flags in the bits below the page.
    private static ulong Hpa(ulong operand) => operand & 0x000F_FFFF_FFFF_F000;

    // What the call that succeeded at last has changed.
    private static void Tell(SweepRunner run, SweepCall call, ulong[] pages)
    {
        foreach (ulong page in pages.Where(page => page >= run.Platform.PageBase).Distinct())
            run.Call(SweepRunner.Registers(HostLeaf.TDH_PHYMEM_PAGE_RDMD, page), call.Lp);
        if (call.Tdr is not { } tdr)
            return;
        foreach (ulong field in Generation.Scope.TdFields.ToArray())
            run.Call(SweepRunner.Registers(HostLeaf.TDH_MNG_RD, Hpa(call.Registers[tdr]), field), call.Lp);
        if (call.Level < 0)
            return;
        ulong entry = PageInfo.Of(new PageInfo(call.Registers.Rcx).Gpa, call.Level).Value;
        run.Call(SweepRunner.Registers(HostLeaf.TDH_MEM_SEPT_RD, entry, Hpa(call.Registers.Rdx)), call.Lp);
        if (call.Leaf != HostLeaf.TDH_MEM_PAGE_PROMOTE)
            return;

        // What became of the smaller pages shows only when the large one is gone.
        run.Call(SweepRunner.Registers(HostLeaf.TDH_MEM_PAGE_REMOVE, entry, Hpa(call.Registers.Rdx)), call.Lp);
        foreach (ulong page in pages.Where(page => page >= run.Platform.PageBase).Distinct())
            run.Call(SweepRunner.Registers(HostLeaf.TDH_PHYMEM_PAGE_RDMD, page), call.Lp);
    }

    private bool AreCombined(int i, int j, SweepFault first, SweepFault? second) => second is null
        || (j > i && !(first.IsVariant && second.IsVariant) && !(first.Operand is not null && first.Operand == second.Operand && IsValue(first) && IsValue(second))
            && !(_harmless.Contains(first.Name) && _harmless.Contains(second.Name)));

    // Of two values for one register the second would hide the first; a flipped bit goes with both.
    private static bool IsValue(SweepFault fault) => fault.Alter(0) == fault.Alter(ulong.MaxValue);

    // True: the call succeeded.
    private bool Try(SweepRunner run, SweepCall call, SweepFault first, SweepFault? second)
    {
        RegisterFile registers = call.Registers;
        int lp = call.Lp;
        var choices = new List<ChoicePoint>();
        bool interrupt = false;
        var held = new List<LockOperation>();
        foreach (SweepFault? fault in (SweepFault?[])[first, second])
        {
            if (fault is null)
                continue;
            if (fault.Operand is { } operand)
                registers[operand] = fault.Alter(registers[operand]);
            lp = fault.Lp >= 0 ? fault.Lp : lp;
            if (fault.Choice != ChoicePoint.None)
                choices.Add(fault.Choice);
            interrupt |= fault.Interrupt;
            if (fault.Held is { } operation && run.Lock(operation))
                held.Add(operation);
        }

        Generation.Scope.Keep(run.Platform, ref registers);
        if (interrupt)
            run.Interrupt(true);
        choices.Sort((one, other) => Place(one, registers).CompareTo(Place(other, registers)));
        bool succeeded = IsUsedUp(run, run.Call(registers, lp, choices.ElementAtOrDefault(0), choices.ElementAtOrDefault(1)), registers);
        if (interrupt)
            run.Interrupt(false);
        foreach (LockOperation operation in held)
            run.Unlock(operation);
        if (second is null)
        {
            // What a refused attempt left: a guest is kept away until the host was granted the lock.
            foreach (LockOperation operation in held)
            {
                run.TryAsGuest(operation.Which, operation.Argument, operation.Argument2);
                succeeded |= IsUsedUp(run, run.Call(registers, lp), registers);
                run.TryAsGuest(operation.Which, operation.Argument, operation.Argument2);
            }
        }

        return succeeded;
    }

    // The choice point that comes first in the leaf decides.
    private int Place(ChoicePoint choice, in RegisterFile registers)
    {
        Leaf<ObservedState>? leaf = _leaves.Host(registers.Rax);
        return leaf is null ? 0 : leaf.Steps.ToList().FindIndex(step => step.Choice == choice);
    }

    // After a success that changed something the stage no longer is what it was.
    private static bool IsUsedUp(SweepRunner run, StatusCode status, in RegisterFile registers) =>
        !status.IsError && (HostLeaf)LeafNames.Number(registers.Rax) switch
        {
            HostLeaf.TDH_MNG_RD or HostLeaf.TDH_VP_RD or HostLeaf.TDH_MEM_SEPT_RD or HostLeaf.TDH_PHYMEM_PAGE_RDMD
                or HostLeaf.TDH_PHYMEM_PAGE_WBINVD or HostLeaf.TDH_MNG_KEY_RECLAIMID or HostLeaf.TDH_MR_EXTEND => false,
            HostLeaf.TDH_MEM_SEPT_ADD => run.ChangedPages,
            _ => true,
        };
}
