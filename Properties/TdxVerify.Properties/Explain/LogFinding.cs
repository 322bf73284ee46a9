namespace TdxVerify.Properties.Explain;

/// <summary>A status found in text.</summary>
/// <param name="Query">The status.</param>
/// <param name="Leaf">The leaf that the text names; null where it names none.</param>
/// <param name="Rcx">RCX after the call, where the text has it.</param>
/// <param name="Rdx">RDX after the call, where the text has it.</param>
/// <param name="R8">R8 after the call, where the text has it.</param>
/// <param name="Text">The line, as it was; empty where the status was given by itself.</param>
/// <param name="Lines">The numbers of all lines that say the same, from 1; empty where there are no lines to count.</param>
public sealed record LogFinding(StatusQuery Query, string? Leaf, ulong? Rcx, ulong? Rdx, ulong? R8, string Text, IReadOnlyList<int> Lines);
