using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Laws.Calls;

namespace TdxVerify.Properties.Laws;

/// <summary>
/// A law about how calls end: SEAMCALLs, and the TDCALLs and memory accesses of guests. Laws of this kind share one
/// judge, which evaluates the documented reasons of a call once, in the state before it.
/// </summary>
public abstract class CallLaw : Law
{
    private readonly CallJudge _judge;

    private protected CallLaw(CallJudge judge, string name, string statement, params string[] cases)
        : base(name, statement, cases) => _judge = judge;

    /// <inheritdoc/>
    public override void Reset() => _judge.Reset();

    /// <inheritdoc/>
    public override void Foresee(Observation o) => _judge.Foresee(o);

    private protected CallJudge Judge => _judge;

    /// <inheritdoc/>
    protected override string? Check(Observation o)
    {
        if (o.Kind is not (TraceEventKind.Seamcall or TraceEventKind.Enter or TraceEventKind.Exit))
            return null;
        _judge.Judge(o);
        return (_judge.Host.IsJudged ? Check(_judge.Host, o, isGuest: false) : Unreadable(_judge.Host))
            ?? (_judge.Guest.IsJudged ? Check(_judge.Guest, o, isGuest: true) : null);
    }

    /// <summary>Checks one call.</summary>
    private protected abstract string? Check(CallVerdict call, Observation o, bool isGuest);

    /// <summary>What is wrong with a call whose operands lead to something that does not exist; null: not this law's subject.</summary>
    private protected virtual string? Unreadable(CallVerdict call) => null;

    /// <summary>How a call ended, in words.</summary>
    private protected static string EndOf(CallVerdict call) => call.End switch
    {
        CallEnd.Returned => call.Status == 0 ? "succeeded" : $"returned {new StatusCode(call.Status)}",
        CallEnd.EptViolation => "left by an EPT violation",
        CallEnd.EmulatedEptViolation => "emulated an EPT violation",
        CallEnd.InterruptExit => "left by an external interrupt",
        CallEnd.Vmcall => "left by TDG.VP.VMCALL",
        CallEnd.VirtualizationException => "got a #VE",
        CallEnd.PageFault => "got a #PF",
        CallEnd.AccessDone => "accessed memory",
        _ => $"ended in {call.End}",
    };

    /// <summary>How a rule ends, in words.</summary>
    private protected static string EndOf(Rule rule, CallFacts facts) => rule.End switch
    {
        CallEnd.Returned => rule.Kind == RuleKind.Done ? "success" : new StatusCode(rule.StatusOf(facts)).ToString(),
        CallEnd.EptViolation => "an EPT-violation TD exit",
        CallEnd.EmulatedEptViolation => "an emulated EPT violation",
        CallEnd.InterruptExit => "an exit by external interrupt",
        CallEnd.Vmcall => "a TD exit by TDG.VP.VMCALL",
        CallEnd.VirtualizationException => "a #VE",
        CallEnd.PageFault => "a #PF",
        CallEnd.AccessDone => "an access",
        _ => rule.End.ToString(),
    };
}
