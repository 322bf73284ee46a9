namespace TdxVerify.Properties.Exploration.Liveness;

/// <summary>What can be tried again and again, and succeed or be refused: a call, an operation of the guest, a compare-and-exchange.</summary>
/// <param name="Agent">Who tries.</param>
/// <param name="Number">Which of its attempts.</param>
/// <param name="Recurs">Not the agent acts but the surroundings: an interrupt.</param>
internal readonly record struct Attempt(int Agent, int Number, bool Recurs);
