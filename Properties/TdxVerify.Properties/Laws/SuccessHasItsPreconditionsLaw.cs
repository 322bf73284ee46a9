using TdxVerify.Abi;
using TdxVerify.Properties.Laws.Calls;

namespace TdxVerify.Properties.Laws;

/// <summary>A call that succeeded had every precondition of its leaf: operands, page types, OP_STATE, entry state, TLB tracking, counts.</summary>
public sealed class SuccessHasItsPreconditionsLaw : CallLaw
{
    internal SuccessHasItsPreconditionsLaw(CallJudge judge)
        : base(
            judge, "success-has-its-preconditions", "A call that succeeds met every precondition of its leaf.",
            "SEAMCALL", "TDH.VP.ENTER into the guest", "removal, promotion, demotion or relocation", "teardown", "TDCALL")
    {
    }

    private protected override string? Check(CallVerdict call, Observation o, bool isGuest)
    {
        if (!call.Succeeded)
            return null;
        if (call.IsAsExpected)
        {
            Count(o, isGuest);
            return null;
        }

        Rule rule = call.Expected!;
        return rule.Kind == RuleKind.Lock ? null : $"{call.Rules!.Name} succeeded although {rule.Text}: {EndOf(rule, call.Facts)} was due";
    }

    private void Count(Observation o, bool isGuest)
    {
        Occurred(isGuest ? 4 : 0);
        if (isGuest)
            return;
        switch (o.Leaf)
        {
            case HostLeaf.TDH_VP_ENTER:
                Occurred(1);
                break;
            case HostLeaf.TDH_MEM_PAGE_REMOVE or HostLeaf.TDH_MEM_SEPT_REMOVE or HostLeaf.TDH_MEM_PAGE_PROMOTE
                or HostLeaf.TDH_MEM_PAGE_DEMOTE or HostLeaf.TDH_MEM_PAGE_RELOCATE:
                Occurred(2);
                break;
            case HostLeaf.TDH_MNG_VPFLUSHDONE or HostLeaf.TDH_MNG_KEY_FREEID or HostLeaf.TDH_PHYMEM_PAGE_RECLAIM:
                Occurred(3);
                break;
            default:
                break;
        }
    }
}
