using TdxVerify.Abi;
using TdxVerify.Properties.Laws.Calls;

namespace TdxVerify.Properties.Laws;

/// <summary>
/// TDX_OPERAND_BUSY with an operand is returned if and only if a lock of the leaf with that operand is refused by its
/// lock word, as the word was before the call (facts/locks.csv, facts/lock-types.csv): the first refused lock decides,
/// unless a check before it fails.
/// </summary>
public sealed class BusyIffRefusedLaw : CallLaw
{
    private static readonly (uint Operand, int Case)[] s_cases =
    [
        ((uint)OperandId.OP_STATE, 1), ((uint)OperandId.SEPT_TREE, 2), ((uint)OperandId.TD_EPOCH, 3), ((uint)OperandId.TDR, 4),
    ];

    internal BusyIffRefusedLaw(CallJudge judge)
        : base(
            judge, "busy-iff-refused", "OPERAND_BUSY is returned if and only if the lock words refuse a lock of the leaf.",
            "PAMT entry or S-EPT entry", "OP_STATE", "S-EPT tree", "TD epoch", "owner TDR", "guest: S-EPT entry")
    {
    }

    private protected override string? Check(CallVerdict call, Observation o, bool isGuest)
    {
        bool wasDue = call.Expected is { Kind: RuleKind.Lock };
        bool isBusy = new StatusCode(call.Status).Base.Value == Status.TDX_OPERAND_BUSY && call.Expected is not { Kind: RuleKind.Choice };
        if (!wasDue && !isBusy)
            return null;
        if (call.IsAsExpected)
        {
            Occurred(isGuest ? 5 : CaseOf((uint)call.Status));
            return null;
        }

        if (wasDue)
            return $"{call.Rules!.Name} {EndOf(call)} although {call.Expected!.Text}: {EndOf(call.Expected, call.Facts)} was due";
        return $"{call.Rules!.Name} {EndOf(call)}, but no lock of it with that operand is the first to be refused"
            + (call.Expected is { } rule ? $"; {rule.Text}" : "");
    }

    private static int CaseOf(uint operand)
    {
        foreach ((uint id, int position) in s_cases)
        {
            if (id == operand)
                return position;
        }

        return 0;
    }
}
