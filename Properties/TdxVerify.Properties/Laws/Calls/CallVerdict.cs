using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Properties.Laws.Calls;

/// <summary>What one call must end in, found from the state before it, and what it did end in.</summary>
internal sealed class CallVerdict
{
    private readonly CallProgress[] _progressAt = new CallProgress[64];
    private readonly int[] _attemptsAt = new int[64];
    private ulong _openChoices;

    /// <summary>The rules of the leaf; null: nothing is known of the call.</summary>
    public LeafRules? Rules { get; private set; }

    /// <summary>The first rule whose reason holds; -1: none does.</summary>
    public int First { get; private set; }

    /// <summary>What the operands name.</summary>
    public CallFacts Facts { get; } = new();

    /// <summary>The state names something that does not exist.</summary>
    public bool IsUnreadable { get; private set; }

    /// <summary>The call was carried out: the next three are known.</summary>
    public bool IsJudged { get; private set; }

    /// <summary>The status that the call returned.</summary>
    public ulong Status { get; private set; }

    /// <summary>How the call ended.</summary>
    public CallEnd End { get; private set; }

    /// <summary>It ended as it had to.</summary>
    public bool IsAsExpected { get; private set; }

    /// <summary>The first reason that holds; null: the call must succeed.</summary>
    public Rule? Expected => First < 0 ? null : Rules!.Ordered[First];

    /// <summary>The call succeeded; for TDH.VP.ENTER, the guest was entered.</summary>
    public bool Succeeded => End == CallEnd.Returned && Status == 0;

    /// <summary>Nothing is known.</summary>
    public void Clear()
    {
        Rules = null;
        First = -1;
        _openChoices = 0;
        IsJudged = IsUnreadable = IsAsExpected = false;
    }

    /// <summary>Finds the first reason that holds in the state as it is now.</summary>
    public void Foresee(LeafRules rules, Observation o)
    {
        Rules = rules;
        Rule[] ordered = rules.Ordered;
        for (int i = 0; i < ordered.Length; i++)
        {
            Rule rule = ordered[i];
            if (!rule.Holds(Facts))
                continue;
            if (rule.Kind == RuleKind.Choice && o.Choice != rule.Choice)
            {
                if (!o.ChoicesAreAsked)
                {
                    _openChoices |= 1UL << i;
                    _progressAt[i] = Facts.Progress;
                    _attemptsAt[i] = Facts.Attempts.Length;
                }

                continue;
            }

            First = i;
            return;
        }
    }

    /// <summary>The state is broken: rules cannot be evaluated.</summary>
    public void SetUnreadable()
    {
        Rules = null;
        IsUnreadable = true;
    }

    /// <summary>The call was carried out.</summary>
    public void Judge(ulong status, CallEnd end)
    {
        IsJudged = true;
        Status = status;
        End = end;
        IsAsExpected = Expected is { } rule ? end == rule.End && status == rule.StatusOf(Facts) : Succeeded;
        if (!IsAsExpected && _openChoices != 0)
            JudgeByChoice();
    }

    /// <summary>Some reason after the first that holds is also true, and gives this end. To be asked of the state before the call.</summary>
    public bool AlsoHoldsLater(Func<Rule, bool> wanted)
    {
        for (int i = First + 1; i < Rules!.Ordered.Length; i++)
        {
            Rule rule = Rules.Ordered[i];
            if (rule.Kind != RuleKind.Choice && wanted(rule) && Holds(rule))
                return true;
        }

        return false;
    }

    /// <summary>The last rule that ends in what the call ended in; -1: no rule of the leaf does.</summary>
    public int LastRuleOfEnd()
    {
        for (int i = Rules!.Ordered.Length - 1; i >= 0; i--)
        {
            if (EndsAsCall(Rules.Ordered[i]))
                return i;
        }

        return -1;
    }

    /// <summary>The rule ends in what the call ended in.</summary>
    public bool EndsAsCall(Rule rule) =>
        rule.End == End && (rule.Details is null ? rule.Status == Status : rule.Status == new StatusCode(Status).Base.Value);

    // A reason that follows one that holds may ask for something that was never found: then it is not true.
    private bool Holds(Rule rule)
    {
        try
        {
            return rule.Holds(Facts);
        }
        catch (IndexOutOfRangeException)
        {
            return false;
        }
    }

    private void JudgeByChoice()
    {
        for (int i = 0; i < Rules!.Ordered.Length; i++)
        {
            if ((_openChoices >> i & 1) != 0 && EndsAsCall(Rules.Ordered[i]))
            {
                First = i;
                Facts.Progress = _progressAt[i];
                Facts.KeepAttempts(_attemptsAt[i]);
                IsAsExpected = true;
                return;
            }
        }
    }
}
