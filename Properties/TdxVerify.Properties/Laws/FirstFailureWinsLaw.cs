using TdxVerify.Properties.Laws.Calls;

namespace TdxVerify.Properties.Laws;

/// <summary>Of several reasons for which a call cannot succeed, the one that comes first in the leaf's order is returned (facts/checks.md).</summary>
public sealed class FirstFailureWinsLaw : CallLaw
{

    internal FirstFailureWinsLaw(CallJudge judge)
        : base(
            judge, "first-failure-wins", "Of several reasons to fail, a call returns the first in its leaf's order.",
            "failed SEAMCALL", "failed TDCALL or TD exit")
    {
    }

    private protected override string? Check(CallVerdict call, Observation o, bool isGuest)
    {
        if (call.Succeeded || call.Expected is not { } rule)
            return null;
        if (call.IsAsExpected)
        {
            Occurred(isGuest ? 1 : 0);
            return null;
        }

        return call.LastRuleOfEnd() > call.First
            ? $"{call.Rules!.Name} {EndOf(call)} although, earlier in its order, {rule.Text}: {EndOf(rule, call.Facts)} was due"
            : null;
    }
}
