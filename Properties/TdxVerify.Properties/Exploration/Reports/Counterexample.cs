using TdxVerify.Properties.Lanes;

namespace TdxVerify.Properties.Exploration.Reports;

/// <summary>A run that shows something.</summary>
/// <param name="Property">What it shows.</param>
/// <param name="Steps">Visible steps, one round of the loop included.</param>
/// <param name="ContextSwitches">How often another agent goes on than the one before.</param>
/// <param name="Lanes">The run as lanes.</param>
public sealed record Counterexample(string Property, int Steps, int ContextSwitches, LaneDiagram Lanes);

/// <summary>An agent, or all of them, that need not get on.</summary>
/// <param name="Property">What is wrong, in one line.</param>
/// <param name="UnderStrongFairness">It goes wrong even where an attempt that is possible infinitely often succeeds.</param>
/// <param name="IsLivelock">No agent gets on.</param>
/// <param name="Run">The run.</param>
public sealed record LivenessReport(string Property, bool UnderStrongFairness, bool IsLivelock, Counterexample Run);

/// <summary>A case that had to occur, or that is noted.</summary>
/// <param name="Name">Which.</param>
/// <param name="Depth">Steps up to its first occurrence; null: it did not occur.</param>
/// <param name="IsGuard">A verdict means nothing without it.</param>
/// <param name="Witness">The run up to it; null where none was asked for.</param>
public sealed record SometimesReport(string Name, int? Depth, bool IsGuard, Counterexample? Witness);
