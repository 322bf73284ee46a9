namespace TdxVerify.Properties.Exploration;

/// <summary>The first time that an event was reported.</summary>
/// <param name="From">The state before.</param>
/// <param name="Agent">Who made the step.</param>
/// <param name="Choice">Which of its ways to go on.</param>
/// <param name="Depth">Steps from the start up to and with this one: no fewer lead to it.</param>
internal readonly record struct FirstEvent(StateId From, int Agent, int Choice, int Depth);
