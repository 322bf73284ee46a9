using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Laws.Calls;

namespace TdxVerify.Properties.Laws;

/// <summary>
/// A call that succeeds leaves behind what its leaf says, and changes nothing else: lifecycle, OP_STATE, PAMT, S-EPT
/// entry, child count, epochs, counts, associations, keys. Lock words are not looked at.
/// </summary>
public sealed class SuccessHasItsEffectLaw : CallLaw
{
    private readonly Expectations _expected = new();

    internal SuccessHasItsEffectLaw(CallJudge judge)
        : base(
            judge, "success-has-its-effect", "A call changes what its specification says, to what it says, and nothing else.",
            "SEAMCALL", "failed call with something that stays", "page promoted or demoted", "TDG.MEM.PAGE.ACCEPT", "interrupted accept", "TD exit")
    {
    }

    private protected override string? Check(CallVerdict call, Observation o, bool isGuest) => null;

    /// <inheritdoc/>
    protected override string? Check(Observation o)
    {
        if (o.Kind is not (TraceEventKind.Seamcall or TraceEventKind.Enter or TraceEventKind.Exit))
            return null;
        Judge.Judge(o);
        CallVerdict host = Judge.Host;
        CallVerdict guest = Judge.Guest;
        bool hasHost = host.IsJudged && o.IsHostCall;
        if (hasHost ? !host.IsAsExpected : o.IsHostCall)
            return null;
        if (guest.IsJudged && !guest.IsAsExpected)
            return null;
        _expected.Begin(o);
        if (hasHost)
            Host(o, host);
        if (o.GuestRan)
        {
            if (o.Guest.Vcpu != Judge.Vcpu)
                return null;
            Occurred(5);
            GuestEffects.Exit(o, o.Guest.Vcpu, _expected);
            if (guest.IsJudged)
                Operation(o, guest);
        }

        return _expected.Find() is { } wrong ? $"{(hasHost ? host.Rules!.Name : "TD exit")} {(hasHost ? EndOf(host) : "")}: {wrong}" : null;
    }

    private void Host(Observation o, CallVerdict call)
    {
        CallFacts c = call.Facts;
        HostEffects.Staying(o, c, _expected);
        if (o.Leaf == HostLeaf.TDH_PHYMEM_CACHE_WB && call.First != 0)
            HostEffects.Writeback(o, c, _expected, call.Status);
        if (o.Leaf == HostLeaf.TDH_VP_ENTER)
        {
            GuestEffects.Enter(o, c, _expected, call.Succeeded);
            if (call.End == CallEnd.EmulatedEptViolation)
                GuestEffects.EmulatedViolation(c, _expected);
        }

        if (!call.Succeeded)
        {
            if (!_expected.IsEmpty)
                Occurred(1);
            return;
        }

        Occurred(0);
        if (o.Leaf is HostLeaf.TDH_MEM_PAGE_PROMOTE or HostLeaf.TDH_MEM_PAGE_DEMOTE)
            Occurred(2);
        if (o.Leaf != HostLeaf.TDH_VP_ENTER && call.First < 0)
            HostEffects.OfSuccess(o, c, _expected);
    }

    private void Operation(Observation o, CallVerdict call)
    {
        GuestEffects.Operation(o, call, _expected);
        if (LeafNames.Number(call.Facts.In.Rax) == (int)GuestLeaf.TDG_MEM_PAGE_ACCEPT && o.Guest.Kind == GuestOperationKind.Tdcall)
        {
            if (call.Succeeded)
                Occurred(3);
            else if (call.End == CallEnd.InterruptExit)
                Occurred(4);
        }
    }
}
