namespace TdxVerify.Cli.Commands.Proposals;

/// <summary>A verdict as one mark.</summary>
internal static class VerdictMark
{
    /// <summary>✓ proven, (✓) under strong fairness alone, ✗ refuted, ? not decided.</summary>
    public static string Of(bool? holds, bool? weakly) => (holds, weakly) switch
    {
        (false, _) => "✗",
        (null, _) => "?",
        (true, false) => "(✓)",
        _ => "✓",
    };
}
