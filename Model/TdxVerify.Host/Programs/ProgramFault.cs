namespace TdxVerify.Host;

/// <summary>Something for which a host program is refused.</summary>
/// <param name="Program">The program.</param>
/// <param name="Text">What is wrong and why, as a sentence that begins with the place in the program.</param>
/// <param name="File">The file that declares the program.</param>
/// <param name="Line">The line of the state or transition.</param>
public sealed record ProgramFault(string Program, string Text, string File, int Line)
{
    /// <summary>All of it but where the file is.</summary>
    public string Message => $"{Program}: {Text}";

    /// <summary>The program that the state calls; null: none.</summary>
    public HostProgram? Called { get; init; }
}

/// <summary>Collects the faults of programs, so that their author sees all of them and not the first alone.</summary>
public static class ProgramFaults
{
    [ThreadStatic]
    private static List<ProgramFault>? t_collected;

    /// <summary>
    /// Carries declarations out on this thread. A program that is not well formed is not refused meanwhile: it is built as
    /// it is declared, and what is wrong with it is collected. Such a program must not be run.
    /// </summary>
    /// <param name="declare">Builds programs.</param>
    /// <param name="faults">What is wrong with them, in the order in which they were built.</param>
    public static T Collect<T>(Func<T> declare, out IReadOnlyList<ProgramFault> faults)
    {
        ArgumentNullException.ThrowIfNull(declare);
        List<ProgramFault>? outer = t_collected;
        faults = t_collected = [];
        try
        {
            return declare();
        }
        finally
        {
            t_collected = outer;
        }
    }

    /// <summary>Collects faults, or refuses the program by the first of them.</summary>
    internal static void Report(IReadOnlyList<ProgramFault> faults)
    {
        if (t_collected is { } collected)
            collected.AddRange(faults);
        else if (faults is [var first, ..])
            throw new ProgramException(first.Message);
    }
}
