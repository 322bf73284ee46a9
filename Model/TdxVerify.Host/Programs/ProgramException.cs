namespace TdxVerify.Host;

/// <summary>A host program, a guest's code or a configuration is not well formed. The message is one line for its author.</summary>
public sealed class ProgramException : Exception
{
    /// <summary>With a message.</summary>
    public ProgramException(string message)
        : base(message)
    {
    }

    /// <summary>With a message and a cause.</summary>
    public ProgramException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Without a message.</summary>
    public ProgramException()
    {
    }
}
