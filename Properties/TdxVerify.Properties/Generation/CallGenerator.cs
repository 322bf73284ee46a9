using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Choices;
using static TdxVerify.Properties.Generation.Calls;
using static TdxVerify.Properties.Generation.TdSearch;

namespace TdxVerify.Properties.Generation;

/// <summary>
/// Decodes one operation of a choice stream against the model's state: mostly a call that can succeed, sometimes a
/// near miss, a held lock, a choice point or garbage. Every prefix of a stream is meaningful by itself, and taking out
/// an operation leaves what does not depend on it as it was.
/// </summary>
public sealed class CallGenerator
{
    // Large pages are what calls with something wrong are rarely tried on.
    private const int FilledNearMissPercent = 20;

    private readonly World _world;
    private readonly GenerationLimits _limits;
    private readonly TeardownChoice _teardown;
    private readonly BuildChoice _build;
    private readonly ReshapeChoice _reshape;
    private readonly AnyCall _any;
    private readonly LargePageFill _fill;
    private readonly EnterChoice _enter;
    private readonly FaultChoice _fault;
    private readonly LockChoice _locks;

    /// <summary>A generator.</summary>
    /// <param name="world">What it may name; brought up to date after each event.</param>
    /// <param name="limits">What the port cannot do.</param>
    public CallGenerator(World world, GenerationLimits limits)
    {
        _world = world;
        _limits = limits;
        _teardown = new TeardownChoice(world, limits);
        _build = new BuildChoice(world, _teardown);
        _reshape = new ReshapeChoice(world);
        _any = new AnyCall(world);
        _fill = new LargePageFill(world, limits, _build, _reshape, _any);
        _enter = new EnterChoice(world, limits);
        _fault = new FaultChoice(world);
        _locks = new LockChoice(world, limits);
    }

    /// <summary>The mix of the run.</summary>
    public Mix Mix { get; private set; } = Mix.All[0];

    /// <summary>A new run on a fresh platform.</summary>
    public void Reset(Mix mix)
    {
        Mix = mix;
        _fill.Reset();
        _fault.Reset();
        _world.Reset();
    }

    /// <summary>Decodes one operation.</summary>
    public void Decode(ref ChoiceReader choices, ref ObservedState s, ref Operation operation)
    {
        operation.HasPrelude = false;
        operation.Choice = ChoicePoint.None;
        operation.Event = default;
        OperationKind kind = _limits.Adjust((OperationKind)choices.Weighted(Mix.Weights));
        int lp = FreeLp(ref choices, s);
        bool isDecoded = kind switch
        {
            OperationKind.Lock => _locks.Lock(ref choices, s, ref operation),
            OperationKind.Unlock => _locks.Unlock(ref choices, ref operation),
            OperationKind.Interrupt => Interrupt(ref operation),
            OperationKind.Exit => EnterChoice.Exit(ref choices, s, ref operation),
            _ => false,
        };
        if (isDecoded || (lp < 0 && EnterChoice.Exit(ref choices, s, ref operation)))
            return;
        if (kind == OperationKind.Choice)
        {
            operation.Choice = (ChoicePoint)(1 + choices.Below(7));
            kind = operation.Choice < ChoicePoint.CpuidLimited && choices.Percent(50) ? OperationKind.NewTd : kind;
        }

        if (kind == OperationKind.Fault && _fault.Next(ref choices, s, lp, ref operation))
            return;
        bool enters = kind is OperationKind.Run or OperationKind.Accept or OperationKind.Enter || operation.Choice >= ChoicePoint.CpuidLimited;
        if (!enters || !_enter.Enter(ref choices, s, kind, lp, Mix.NearMissPercent, ref operation))
            Host(ref choices, s, kind, lp, ref operation);
    }

    private bool Interrupt(ref Operation operation)
    {
        operation.Event = TraceEvent.OfInterrupt(!_world.InterruptPending);
        return true;
    }

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

    private void Host(ref ChoiceReader choices, in ObservedState s, OperationKind kind, int lp, ref Operation operation)
    {
        TdView? td = _world.Tds.Count == 0 ? null : _world.Tds[choices.Below(_world.Tds.Count)];
        RegisterFile registers = td is null || kind == OperationKind.NewTd
            ? _build.NewTd(ref choices, s, Mix.MaximumTds)
            : kind switch
            {
                OperationKind.Map => _build.Map(ref choices, s, td, ref operation),
                OperationKind.Fill => _fill.Next(ref choices, s, td, ref operation),
                OperationKind.Block => ReshapeChoice.Block(ref choices, s, td),
                OperationKind.Track => Registers(HostLeaf.TDH_MEM_TRACK, td.Tdr),
                OperationKind.Unblock => ReshapeChoice.Unblock(ref choices, s, td),
                OperationKind.Remove => ReshapeChoice.Remove(ref choices, s, td),
                OperationKind.Reshape => _reshape.Reshape(ref choices, s, td),
                OperationKind.Inspect => _any.Inspect(ref choices, s, td),
                OperationKind.Flush => TeardownChoice.Flush(ref choices, s, td, ref lp),
                OperationKind.Teardown when !IsYoung(s, td) || choices.Percent(12) => _teardown.Next(ref choices, s, td, ref lp, ref operation),
                OperationKind.Writeback => _teardown.Writeback(ref choices, s),
                OperationKind.Garbage when choices.Percent(60) => _any.AnyLeaf(ref choices, s, td),
                OperationKind.Garbage => _any.Garbage(ref choices, s),
                _ => _build.Next(ref choices, s, td, ref operation),
            };
        if (choices.Percent(_fill.IsFilled ? FilledNearMissPercent : Mix.NearMissPercent))
            NearMiss.Alter(ref choices, _world, s, ref registers);
        Scope.Keep(s.Platform, ref registers);
        if (!_limits.Supports(registers.Rax))
            registers = Registers(HostLeaf.TDH_MNG_KEY_RECLAIMID);
        if (_locks.DropInsideTd(registers, ref operation))
            return;
        operation.Event = TraceEvent.OfSeamcall(lp, registers, registers);
    }
}
