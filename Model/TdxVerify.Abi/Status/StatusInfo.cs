namespace TdxVerify.Abi;

/// <summary>Whether the host may call again after a status.</summary>
public enum Retry
{
    /// <summary>Success or information: there is nothing to repeat.</summary>
    NotApplicable,

    /// <summary>The same call with the same operands can succeed later.</summary>
    Yes,

    /// <summary>The same call can succeed after the host did something else first.</summary>
    After,

    /// <summary>The same call cannot succeed.</summary>
    No,
}

/// <summary>A row of the status table.</summary>
/// <param name="Name">The constant's name in the specification.</param>
/// <param name="Value">The status, without operand id or details.</param>
/// <param name="Kind">What sort of answer it is.</param>
/// <param name="Class">The class (bits 47:40), in words.</param>
/// <param name="Retry">Whether to call again.</param>
/// <param name="Note">What to do, or where it occurs; may be empty.</param>
public sealed record StatusInfo(string Name, ulong Value, string Kind, string Class, Retry Retry, string Note);
