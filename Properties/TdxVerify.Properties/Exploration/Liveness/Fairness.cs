namespace TdxVerify.Properties.Exploration.Liveness;

/// <summary>What is assumed about the order in which agents take turns.</summary>
public enum Fairness
{
    /// <summary>
    /// An agent that can always step does step. A refused attempt is a step, so two agents that run into each other
    /// again and again are fair.
    /// </summary>
    Weak,

    /// <summary>
    /// Moreover an attempt that is possible infinitely often succeeds infinitely often: possible is one that would succeed if
    /// the others stood still.
    /// </summary>
    Strong,
}
