namespace TdxVerify.Host;

/// <summary>A variable of the VM gets a value: <c>wait_for_sept_zap = true</c>.</summary>
/// <param name="Variable">Its name.</param>
/// <param name="Value">The value.</param>
public sealed record WriteVariableAction(string Variable, ulong Value) : HostAction
{
    /// <inheritdoc/>
    public override string Text => $"{Variable} = {Value}";

    internal override ActionEnd Run(ref HostStep at)
    {
        at.WriteVariable(Variable, Value);
        return ActionEnd.Complete;
    }
}

/// <summary>A variable of the VM has a value.</summary>
/// <param name="Variable">Its name.</param>
/// <param name="Value">The value.</param>
public sealed record TestVariableAction(string Variable, ulong Value) : HostAction
{
    /// <inheritdoc/>
    public override string Text => Value == 1 ? $"{Variable}?" : $"{Variable} == {Value}?";

    /// <inheritdoc/>
    public override ResultKind Result => ResultKind.YesNo;

    internal override ActionEnd Run(ref HostStep at)
    {
        at.Answer = Answer.Of(at.ReadVariable(Variable) == Value);
        return ActionEnd.Complete;
    }
}

/// <summary>A variable of the VM is changed by one, never below 0 nor above a limit. No: it was at the limit already.</summary>
/// <param name="Variable">Its name.</param>
/// <param name="By">1 or -1.</param>
/// <param name="Limit">The highest value; larger ones are not told apart.</param>
public sealed record CountVariableAction(string Variable, int By, int Limit) : HostAction
{
    /// <inheritdoc/>
    public override string Text => $"{Variable}{(By > 0 ? "++" : "--")}";

    /// <inheritdoc/>
    public override ResultKind Result => ResultKind.YesNo;

    internal override ActionEnd Run(ref HostStep at)
    {
        long value = (long)at.ReadVariable(Variable) + By;
        bool moves = value >= 0 && value <= Limit;
        if (moves)
            at.WriteVariable(Variable, (ulong)value);
        at.Answer = Answer.Of(moves);
        return ActionEnd.Complete;
    }
}
