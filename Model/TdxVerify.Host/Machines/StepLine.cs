namespace TdxVerify.Host;

/// <summary>What a step did in one state of a program, for those who tell a run in words.</summary>
/// <param name="Action">The action of the state.</param>
/// <param name="Text">What was about to be done.</param>
/// <param name="Found">What the access found; empty: nothing to be told.</param>
/// <param name="Answer">What the action answered, in words; null: it is not complete.</param>
public sealed record StepLine(HostAction Action, string Text, string Found, string? Answer)
{
    /// <summary>What decided against the SEAMCALL in it; null: nothing did.</summary>
    public StepRefusal? Refusal { get; init; }

    /// <summary>The line as one text.</summary>
    public override string ToString() => string.Join(": ", ((string[])[Text, Found, Answer ?? ""]).Where(part => part.Length > 0).Distinct());
}

/// <summary>What decided against a SEAMCALL.</summary>
/// <param name="Rule">What was refused or does not hold: the rule of the module's step.</param>
/// <param name="Status">The status, by name.</param>
public sealed record StepRefusal(string Rule, string Status);
