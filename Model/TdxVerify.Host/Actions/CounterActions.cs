namespace TdxVerify.Host;

/// <summary>A counter of the thread gets a value.</summary>
/// <param name="Counter">Its name.</param>
/// <param name="Value">The value.</param>
public sealed record SetCounterAction(string Counter, int Value) : HostAction
{
    /// <inheritdoc/>
    public override string Text => $"{Counter} = {Value}";

    internal override bool IsLocal => true;

    internal override string? CounterSet => Counter;

    internal override ActionEnd Run(ref HostStep at)
    {
        at.Thread.Counters[at.Machine.CounterOf(Counter)] = (byte)Value;
        return ActionEnd.Complete;
    }
}

/// <summary>A counter of the thread goes up by one, up to a limit. Yes: it was below the limit.</summary>
/// <param name="Counter">Its name.</param>
/// <param name="Limit">The limit.</param>
public sealed record CountAction(string Counter, int Limit) : HostAction
{
    /// <inheritdoc/>
    public override string Text => $"{Counter}++ < {Limit}";

    /// <inheritdoc/>
    public override ResultKind Result => ResultKind.YesNo;

    internal override bool IsLocal => true;

    internal override IEnumerable<string> CountersRead => [Counter];

    internal override ActionEnd Run(ref HostStep at)
    {
        ref byte value = ref at.Thread.Counters[at.Machine.CounterOf(Counter)];
        bool below = value < Limit;
        if (below)
            value++;
        at.Answer = Answer.Of(below);
        return ActionEnd.Complete;
    }
}

/// <summary>Goes to the first of the GPAs that the agent works on.</summary>
public sealed record FirstGpaAction : HostAction
{
    /// <inheritdoc/>
    public override string Text => "gpa = first of the range";

    internal override bool IsLocal => true;

    internal override Remembered Writes => Remembered.Gpa;

    internal override ActionEnd Run(ref HostStep at)
    {
        at.Thread.Gpa = at.Bound.FirstGpa;
        return ActionEnd.Complete;
    }
}

/// <summary>Goes to the next of the GPAs that the agent works on. No: there is none left.</summary>
public sealed record NextGpaAction : HostAction
{
    /// <inheritdoc/>
    public override string Text => "gpa = next of the range";

    /// <inheritdoc/>
    public override ResultKind Result => ResultKind.YesNo;

    internal override bool IsLocal => true;

    internal override Remembered Reads => Remembered.Gpa;

    internal override ActionEnd Run(ref HostStep at)
    {
        IReadOnlyList<int> gpas = at.Bound.Gpas;
        int next = 1;
        while (next <= gpas.Count && gpas[next - 1] != at.Thread.Gpa)
            next++;
        at.Answer = Answer.Of(next < gpas.Count);
        if (next < gpas.Count)
            at.Thread.Gpa = (byte)gpas[next];
        return ActionEnd.Complete;
    }
}
