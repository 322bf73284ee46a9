using TdxVerify.Properties.Proposals;

namespace TdxVerify.Cli.Commands.Proposals;

/// <summary>A property that is refuted: in one line, or with the run that shows it.</summary>
internal static class RefutationText
{
    /// <summary>Where it is refuted, by how long a run, and whose fault that is.</summary>
    public static string Line(Refutation refutation)
    {
        string cause = refutation.Cause is { } found ? $"; cause: {found.Name} ({found.Why})" : "";
        return $"{refutation.In.Configuration.Name}, {refutation.Finding.Run.Steps} steps{cause}";
    }

    /// <summary>Writes the run, in words and as lanes.</summary>
    /// <param name="terminal">Where to.</param>
    /// <param name="refutation">The property.</param>
    /// <param name="heading">What stands above it.</param>
    public static void WriteRun(Terminal terminal, Refutation refutation, string heading)
    {
        terminal.Out.WriteLine();
        terminal.Out.WriteLine(terminal.Bad(heading));
        foreach (string sentence in CounterexampleStory.Of(refutation))
            Paragraph.Write(terminal, "  ", sentence);
        if (refutation.Cause is { } cause)
            Paragraph.Write(terminal, "  ", $"Cause: {cause.Name}; {cause.Why}.");
        terminal.Out.WriteLine();
        LaneWriter.Write(terminal, refutation.Finding.Run.Lanes, "  ");
    }
}
