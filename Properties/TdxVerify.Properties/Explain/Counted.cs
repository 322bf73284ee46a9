namespace TdxVerify.Properties.Explain;

/// <summary>Things with their number, in words.</summary>
public static class Counted
{
    /// <summary><c>1 step</c>, <c>2 steps</c>, <c>2 switches</c>.</summary>
    public static string Of(int count, string noun) => count == 1 ? $"1 {noun}" : $"{count} {noun}{(noun.EndsWith('h') ? "es" : "s")}";
}
