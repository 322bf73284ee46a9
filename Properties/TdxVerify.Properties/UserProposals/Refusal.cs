using TdxVerify.Abi;

namespace TdxVerify.Properties.UserProposals;

/// <summary>A reason for which a user's proposal is not explored.</summary>
/// <param name="File">The file, as the user named it.</param>
/// <param name="Line">The line; 0: it is about the file as a whole.</param>
/// <param name="Column">The column; 0: the line as a whole.</param>
/// <param name="Text">The reason.</param>
public sealed record Refusal(string File, int Line, int Column, string Text)
{
    /// <summary>The line as it is written; empty where there is none.</summary>
    public string Source { get; init; } = "";

    /// <summary>The place and the reason, as compilers write it.</summary>
    public string Message => $"{File}{(Line > 0 ? $":{Line}" : "")}{(Column > 0 ? $":{Column}" : "")}: {Text}";
}

/// <summary>A user's proposal is refused, for all reasons that are known.</summary>
public sealed class RefusedException : InputException
{
    /// <summary>With the reasons.</summary>
    public RefusedException(IReadOnlyList<Refusal> refusals)
        : base(refusals[0].Message) => Refusals = refusals;

    /// <summary>Without a reason nothing is refused; use the other.</summary>
    public RefusedException()
    {
    }

    /// <summary>With one reason that has no place.</summary>
    public RefusedException(string message)
        : base(message)
    {
    }

    /// <summary>With one reason that has no place, and what was caught.</summary>
    public RefusedException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    /// <summary>The reasons.</summary>
    public IReadOnlyList<Refusal> Refusals { get; } = [];
}
