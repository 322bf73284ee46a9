using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Choices;
using TdxVerify.Properties.Generation;
using TdxVerify.Properties.Runs;

namespace TdxVerify.Properties.Schedules;

/// <summary>
/// Decodes a choice stream into calls that overlap: its first operations prepare a platform one by one, the next ones
/// become the calls, all decoded against the state that the platform is in then, and the last ones make some of them
/// aim at what another one aims at.
/// </summary>
public sealed class PlanGenerator
{
    private const int ContentionPercent = 40;

    private readonly ScheduleOptions _options;
    private readonly SequenceRunner _sequences;

    /// <summary>A generator for the platform of a run.</summary>
    public PlanGenerator(ScheduleOptions options)
    {
        _options = options;
        _sequences = new SequenceRunner(new EventRunner(ModelPorts.Observed(options.Platform), null, []), GenerationLimits.WholeCalls);
    }

    /// <summary>The stream of a seed: it decides the calls, and what is behind its operations the schedules.</summary>
    public ChoiceStream Stream(ulong seed) => ChoiceStream.FromSeed(seed, _options.Preparation + (2 * _options.Calls));

    /// <summary>The calls of a stream.</summary>
    public ConcurrentPlan Generate(ChoiceStream stream)
    {
        var setup = new List<PlannedEvent>();
        _sequences.Run(stream, setup, _options.Preparation);
        var calls = new List<ConcurrentCall>();
        Operation operation = default;
        for (int i = 0; i < _options.Calls; i++)
        {
            _sequences.Decode(stream, _options.Preparation + i, ref operation);
            // Two calls that write TD_PARAMS at the same address would race with the module's own read: the host's bug.
            if (operation.HasPrelude && operation.Prelude.Kind == TraceEventKind.Write)
                setup.Add(new PlannedEvent(operation.Prelude, ChoicePoint.None));
            if (operation.Event.Kind != TraceEventKind.Seamcall)
                continue;
            TraceEvent? guest = operation.HasPrelude && operation.Prelude.Kind == TraceEventKind.Guest ? operation.Prelude : null;
            calls.Add(new ConcurrentCall(operation.Event.Lp, operation.Event.Input, operation.Choice, guest));
        }

        for (int i = 1; i < calls.Count; i++)
        {
            var choices = new ChoiceReader(stream, _options.Preparation + _options.Calls + i);
            if (choices.Percent(ContentionPercent))
                calls[i] = AimedAt(calls[i], calls[choices.Below(i)]);
        }

        return new ConcurrentPlan(_options.Platform, setup, calls);
    }

    // The same GPA and level, and the same TD where the call is the host's.
    private static ConcurrentCall AimedAt(ConcurrentCall call, ConcurrentCall other)
    {
        if (Aim(other) is not var (pageInfo, tdr) || Aim(call) is not var (_, own))
            return call;
        if (call.Guest is { } guest)
        {
            guest.Input.Rcx = pageInfo;
            return call with { Guest = guest };
        }

        RegisterFile registers = call.Registers;
        registers.Rcx = pageInfo;
        registers.Rdx = tdr != 0 ? tdr : own;
        return call with { Registers = registers };
    }

    // GPA and level, and the TD; 0 where the guest does it.
    private static (ulong PageInfo, ulong Tdr)? Aim(ConcurrentCall call)
    {
        if (call.Guest is { Operation: GuestOperationKind.Tdcall } guest)
            return LeafNames.Number(guest.Input.Rax) is (ushort)GuestLeaf.TDG_MEM_PAGE_ACCEPT or (ushort)GuestLeaf.TDG_MEM_PAGE_ATTR_RD or (ushort)GuestLeaf.TDG_MEM_PAGE_ATTR_WR ? (guest.Input.Rcx, 0) : null;
        bool isOfRange = LeafOperands.Of((HostLeaf)LeafNames.Number(call.Registers.Rax)) is [{ Kind: OperandKind.PageInfo }, ..];
        return isOfRange ? (call.Registers.Rcx, call.Registers.Rdx) : null;
    }
}
