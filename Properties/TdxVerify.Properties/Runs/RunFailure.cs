using System.Text.RegularExpressions;

namespace TdxVerify.Properties.Runs;

/// <summary>Why a run failed.</summary>
/// <param name="Law">The law that was broken.</param>
/// <param name="Reason">What is wrong, in one line.</param>
/// <param name="Operation">The operation, or event, that broke it, counted from 0.</param>
/// <param name="Call">The call in which it showed: its leaf, and that of the TDCALL in it; or the kind of event.</param>
public sealed partial record RunFailure(string Law, string Reason, int Operation, string Call)
{
    /// <summary>
    /// The same failure in another sequence: the same law is broken in the same way by the same call. Which page, TD or
    /// count it is about may differ, which status or exit reason it is may not. Two failures of one law can be two bugs,
    /// and a sequence that is made small must not slip from one into the other.
    /// </summary>
    public bool IsLike(RunFailure other) =>
        Law == other.Law && Call == other.Call && (Reason == other.Reason || Kind(Reason) == Kind(other.Reason));

    private static string Kind(string reason) => Number().Replace(reason, "#");

    [GeneratedRegex(@"(?<!exit reason )\b(0x[0-9a-f]+|[0-9]+)\b")]
    private static partial Regex Number();
}
