using TdxVerify.Abi;
using TdxVerify.Properties.Laws.Calls;

namespace TdxVerify.Properties.Laws;

/// <summary>
/// Every status is one that its leaf documents, and what it says was true when the call was made: TDX_TD_FATAL of a
/// fatal TD, TDX_PAGE_METADATA_INCORRECT of a page of another type, TDX_TLB_TRACKING_NOT_DONE of an untracked range.
/// </summary>
public sealed class StatusHasItsReasonLaw : CallLaw
{
    private const int Choice = 5;
    private const int Guest = 6;

    internal StatusHasItsReasonLaw(CallJudge judge)
        : base(
            judge, "status-has-its-reason", "A status is one that its leaf documents, and its reason was true before the call.",
            "an operand was refused", "a page was of another type", "the state of the TD or vCPU forbade it", "the key's state forbade it",
            "the S-EPT forbade it", "a choice point failed", "a TDCALL was refused")
    {
    }

    private protected override string? Check(CallVerdict call, Observation o, bool isGuest)
    {
        if (call.Succeeded)
            return null;
        if (call.IsAsExpected)
        {
            Count(call, isGuest);
            return null;
        }

        if (call.LastRuleOfEnd() < 0)
            return $"{call.Rules!.Name} {EndOf(call)}, which it does not document";
        return call.AlsoHoldsLater(call.EndsAsCall)
            ? null
            : $"{call.Rules!.Name} {EndOf(call)}, but nothing that this says was true before the call{Instead(call)}";
    }

    private protected override string? Unreadable(CallVerdict call) =>
        call.IsUnreadable ? "before this call the state already names a TD, vCPU or S-EPT page that does not exist" : null;

    private static string Instead(CallVerdict call) => call.Expected is { } rule ? $"; {rule.Text}" : "; it had to succeed";

    private void Count(CallVerdict call, bool isGuest)
    {
        if (isGuest)
            Occurred(Guest);
        else if (call.Expected!.Kind == RuleKind.Choice)
            Occurred(Choice);
        else if (CaseOf(new StatusCode(call.Status).Class) is >= 0 and int position)
            Occurred(position);
    }

    private static int CaseOf(byte statusClass) => statusClass switch
    {
        0x01 => 0,
        0x03 => 1,
        0x06 or 0x07 => 2,
        0x08 => 3,
        0x0B => 4,
        _ => -1,
    };
}
