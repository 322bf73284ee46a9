namespace TdxVerify.Properties.Exploration.Reports;

/// <summary>What an exploration found.</summary>
public enum Verdict
{
    /// <summary>Everything was explored, no law is broken, and every agent gets on.</summary>
    Held,

    /// <summary>A law is broken, or nobody can go on.</summary>
    Violated,

    /// <summary>Under strong fairness a run goes on for ever in which no agent makes progress.</summary>
    Livelock,

    /// <summary>Under strong fairness a run goes on for ever in which one agent makes no progress, or an agent is trapped for good.</summary>
    Starvation,

    /// <summary>Not everything was explored; what was explored is in order.</summary>
    Incomplete,
}
