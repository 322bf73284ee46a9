namespace TdxVerify.Properties.Proposals;

/// <summary>Judgements that are true, false or not decided (null), and are never rounded up.</summary>
public static class Judgement
{
    /// <summary>Both hold: false where one is refuted, else not decided where one is not decided.</summary>
    public static bool? And(bool? one, bool? other) => one & other;
}
