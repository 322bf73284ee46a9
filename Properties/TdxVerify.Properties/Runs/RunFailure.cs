namespace TdxVerify.Properties.Runs;

/// <summary>Why a run failed.</summary>
/// <param name="Law">The law that was broken.</param>
/// <param name="Reason">What is wrong, in one line.</param>
/// <param name="Operation">The operation, or event, that broke it, counted from 0.</param>
public sealed record RunFailure(string Law, string Reason, int Operation);
