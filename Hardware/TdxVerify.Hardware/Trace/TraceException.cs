using TdxVerify.Abi;

namespace TdxVerify.Hardware.Trace;

/// <summary>
/// A trace file that cannot be read or written. The message is one line for the user: file, line where there is
/// one, what is wrong, what was expected. Nothing else is thrown for bad input.
/// </summary>
public sealed class TraceException : InputException
{
    /// <summary>Describes the fault.</summary>
    /// <param name="file">The file as the user named it.</param>
    /// <param name="line">The line, from 1; 0 where the file as a whole is at fault.</param>
    /// <param name="fault">What is wrong and what was expected, without file and line.</param>
    /// <param name="cause">What the system said, if it did.</param>
    public TraceException(string file, int line, string fault, Exception? cause = null)
        : base(line > 0 ? $"{file}:{line}: {fault}" : $"{file}: {fault}", cause)
    {
        File = file;
        Line = line;
        Fault = fault;
    }

    /// <summary>The file as the user named it.</summary>
    public string File { get; }

    /// <summary>The line, from 1; 0 where the file as a whole is at fault.</summary>
    public int Line { get; }

    /// <summary>What is wrong and what was expected, without file and line.</summary>
    public string Fault { get; }
}
