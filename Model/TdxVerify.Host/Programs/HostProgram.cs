using System.Collections.Immutable;
using System.Runtime.CompilerServices;

namespace TdxVerify.Host;

/// <summary>
/// An algorithm of the host as an explicit state machine: named states, one action each, transitions chosen by the
/// action's result. The first state is where it begins.
/// </summary>
/// <remarks>Sequential consistency is assumed: an access is seen by every processor as soon as it is made.</remarks>
public sealed class HostProgram
{
    /// <summary>Where a transition leads that ends the program.</summary>
    public const string Done = "done";

    /// <summary>Where a transition leads that returns to the caller, or the first word of that: <c>return -EBUSY</c>.</summary>
    public const string Return = "return";

    /// <summary>Returns the status of the last SEAMCALL, or what the program called last returned.</summary>
    public const string ReturnStatus = "return status";

    internal HostProgram(string name, string from, ImmutableArray<ProgramState> states)
    {
        Name = name;
        From = from;
        States = states;
    }

    /// <summary>Its name: the kernel function, or what it does.</summary>
    public string Name { get; }

    /// <summary>Source: kernel function and release.</summary>
    public string From { get; }

    /// <summary>The states; the first is where it begins.</summary>
    public ImmutableArray<ProgramState> States { get; }

    /// <summary>The file that declares it; empty where it was made out of another.</summary>
    public string File { get; internal init; } = "";

    /// <summary>The line where its declaration begins.</summary>
    public int Line { get; internal init; }

    /// <summary>The programs that it calls, each once.</summary>
    public IEnumerable<HostProgram> Calls => States.Select(state => state.Action).OfType<CallAction>().Select(call => call.Program).Distinct();

    /// <summary>Begins the declaration of a program.</summary>
    /// <param name="name">The kernel function, or what it does.</param>
    /// <param name="from">Source: kernel function and release.</param>
    /// <param name="file">Left to the compiler: the file that declares it.</param>
    /// <param name="line">Left to the compiler: the line that declares it.</param>
    public static ProgramBuilder Named(string name, string from = "", [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        new(name, from, file, line);

    /// <summary>This program and those that it calls, and so on, each once.</summary>
    public IEnumerable<HostProgram> WithCalled() => Calls.SelectMany(program => program.WithCalled()).Prepend(this).Distinct();
}
