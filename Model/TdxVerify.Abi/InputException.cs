namespace TdxVerify.Abi;

/// <summary>
/// What the user gave cannot be used: an argument, a file, a library. The message is one line that says what, where
/// and what to do; the command prints it as it is and ends with status 2.
/// </summary>
public class InputException : Exception
{
    /// <summary>An error without a message is of no help; use one of the others.</summary>
    public InputException()
    {
    }

    /// <summary>An error with its one line for the user.</summary>
    public InputException(string message)
        : base(message)
    {
    }

    /// <summary>An error with its one line for the user, and what was caught, if anything was.</summary>
    public InputException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
