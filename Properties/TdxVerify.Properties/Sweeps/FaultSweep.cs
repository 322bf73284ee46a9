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
internal sealed class FaultSweep
{
    private readonly LeafSet<ObservedState> _leaves;
    private readonly HostLeaf _leaf;
    private readonly int _call;
    private readonly HashSet<string> _harmless = [];
    private int _first;
    private int _second = -1;

    /// <summary>A sweep of one call of a leaf, counted from 0 in <see cref="SweepCall.Of"/>.</summary>
    public FaultSweep(LeafSet<ObservedState> leaves, HostLeaf leaf, int call)
    {
        _leaves = leaves;
        _leaf = leaf;
        _call = call;
    }

    /// <summary>All combinations were tried, or there is no such call.</summary>
    public bool IsDone { get; private set; }

    /// <summary>Goes on from a fresh platform until a call succeeds or all is done.</summary>
    /// <returns>The first broken law; null: all held.</returns>
    public RunFailure? Run(EventRunner events, List<PlannedEvent> record)
    {
        events.Reset();
        var run = new SweepRunner(events, record);
        SweepStage stage = SweepStage.Set(run, with1G: true, withMergeable: _leaf == HostLeaf.TDH_MEM_PAGE_PROMOTE);
        SweepCall? call = SweepCall.Of(_leaf, stage).ElementAtOrDefault(_call);
        if (call is null)
        {
            IsDone = true;
            return run.Failure;
        }

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

        run.Call(call.Registers, call.Lp);
        IsDone = true;
        return run.Failure;
    }

    private bool AreCombined(int i, int j, SweepFault first, SweepFault? second) => second is null
        || (j > i && !(first.IsVariant && second.IsVariant) && !(first.Operand is not null && first.Operand == second.Operand && IsValue(first) && IsValue(second))
            && !(_harmless.Contains(first.Name) && _harmless.Contains(second.Name)));

    // Of two values for one register the second would hide the first; a flipped bit goes with both.
    private static bool IsValue(SweepFault fault) => fault.Alter(0) == fault.Alter(ulong.MaxValue);

    // True: the call succeeded.
    private static bool Try(SweepRunner run, SweepCall call, SweepFault first, SweepFault? second)
    {
        RegisterFile registers = call.Registers;
        int lp = call.Lp;
        ChoicePoint choice = ChoicePoint.None;
        bool interrupt = false;
        var held = new List<LockOperation>();
        foreach (SweepFault? fault in (SweepFault?[])[first, second])
        {
            if (fault is null)
                continue;
            if (fault.Operand is { } operand)
                registers[operand] = fault.Alter(registers[operand]);
            lp = fault.Lp >= 0 ? fault.Lp : lp;
            choice = fault.Choice != ChoicePoint.None ? fault.Choice : choice;
            interrupt |= fault.Interrupt;
            if (fault.Held is { } operation && run.Lock(operation))
                held.Add(operation);
        }

        Generation.Scope.Keep(run.Platform, ref registers);
        if (interrupt)
            run.Interrupt(true);
        bool succeeded = Succeeded(run.Call(registers, lp, choice), registers);
        if (interrupt)
            run.Interrupt(false);
        foreach (LockOperation operation in held)
            run.Unlock(operation);
        if (second is null)
        {
            // What a refused attempt left: a guest is kept away until the host was granted the lock.
            foreach (LockOperation operation in held)
            {
                Probe(run, operation);
                succeeded |= Succeeded(run.Call(registers, lp), registers);
                Probe(run, operation);
            }
        }

        return succeeded;
    }

    private static bool Succeeded(StatusCode status, in RegisterFile registers) =>
        !status.IsError && (HostLeaf)LeafNames.Number(registers.Rax) is not (HostLeaf.TDH_MNG_RD or HostLeaf.TDH_VP_RD or HostLeaf.TDH_MEM_SEPT_RD
            or HostLeaf.TDH_PHYMEM_PAGE_RDMD or HostLeaf.TDH_PHYMEM_PAGE_WBINVD or HostLeaf.TDH_MNG_KEY_RECLAIMID or HostLeaf.TDH_MR_EXTEND);

    private static void Probe(SweepRunner run, in LockOperation held)
    {
        LockOperation asGuest = held with { Guest = true, Exclusive = true };
        if (run.Lock(asGuest))
            run.Unlock(asGuest);
    }
}
