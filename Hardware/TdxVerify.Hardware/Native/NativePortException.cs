using TdxVerify.Abi;

namespace TdxVerify.Hardware.Native;

/// <summary>
/// A shared library that cannot be used as a port. The message is one line for the user: the file, the symbol where
/// there is one, what is wrong.
/// </summary>
public sealed class NativePortException : InputException
{
    /// <summary>Describes the fault.</summary>
    /// <param name="file">The library as the user named it.</param>
    /// <param name="fault">What is wrong, and with which symbol.</param>
    /// <param name="cause">What the system said, if it did.</param>
    public NativePortException(string file, string fault, Exception? cause = null)
        : base($"{file}: {fault}", cause)
    {
        File = file;
    }

    /// <summary>The library as the user named it.</summary>
    public string File { get; }
}
