namespace TdxVerify.Host;

/// <summary>Where a program goes from a state, if a test of the action's result holds.</summary>
/// <param name="When">The test; the first that holds decides.</param>
/// <param name="To">The next state.</param>
public sealed record ProgramTransition(When When, string To)
{
    /// <summary>What is reported as progress of the agent; null: nothing.</summary>
    public string? Progress { get; init; }

    /// <summary>A case that must occur for a verdict to mean something; null: none.</summary>
    public string? Sometimes { get; init; }

    /// <summary>A case worth telling that need not occur; null: none.</summary>
    public string? Noted { get; init; }

    /// <summary>The faulting GPA in R8 becomes the GPA that the program works on.</summary>
    public bool TakesGpa { get; init; }

    /// <summary>The line that declares it; 0 where nothing does.</summary>
    public int Line { get; init; }
}
