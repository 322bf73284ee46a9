using TdxVerify.Hardware.Trace;
using TdxVerify.Properties.Histories;
using TdxVerify.Properties.Traces;

namespace TdxVerify.Cli.Commands;

/// <summary>Why a history of overlapping calls was rejected, as people read it.</summary>
internal sealed class HistoryText(Terminal terminal)
{
    private const string Indent = "    ";
    private const int NameWidth = 12;

    // More than these are rarely of use, and the JSON document has them all.
    private const int MostCandidates = 6;

    public void Write(HistoryRejection rejection)
    {
        terminal.Out.WriteLine();
        Paragraph.Write(terminal, Indent, terminal.Bold(rejection.Event));
        Paragraph.Write(terminal, Label("recorded"), rejection.Recorded);
        foreach (DecidingStep step in rejection.GivenBy)
            Paragraph.Write(terminal, Label("given by"), step.ToString());
        Paragraph.Write(terminal, Label("explained"), $"the {rejection.Explained:N0} events of the sequence before it");
        foreach (OverlappingCall call in rejection.InFlight)
            Paragraph.Write(terminal, Label("in flight"), $"{call.Call}, {Lines(call)}: {call.Answer}");
        WriteCandidates(rejection);
        terminal.Out.WriteLine();
    }

    private static string Label(string text) => $"{Indent}{text.PadRight(NameWidth)}";

    private static string Lines(OverlappingCall call) => call.BeginLine == 0 ? "overlapping" : call.EndLine is { } end ? $"lines {call.BeginLine} to {end}" : $"from line {call.BeginLine}";

    private void WriteCandidates(HistoryRejection rejection)
    {
        string more = rejection.IsComplete ? "" : "; not all were looked at";
        terminal.Out.WriteLine();
        terminal.Out.WriteLine(terminal.Faint($"{Indent}possible instead ({rejection.Candidates.Sum(candidate => candidate.States):N0} states that explain all before{more})"));
        if (rejection.Candidates.Count == 0)
            Paragraph.Write(terminal, Indent + "  ", "nothing: the call cannot end here");
        foreach (HistoryCandidate candidate in rejection.Candidates.Take(MostCandidates))
            WriteCandidate(candidate);
        if (rejection.Candidates.Count > MostCandidates)
            terminal.Out.WriteLine($"{Indent}  and {rejection.Candidates.Count - MostCandidates} more (--json lists all)");
    }

    private void WriteCandidate(HistoryCandidate candidate)
    {
        Paragraph.Write(terminal, $"{Indent}  ", $"{terminal.Bold(candidate.Answer)} in {candidate.States:N0} state{(candidate.States == 1 ? "" : "s")}");
        string inner = $"{Indent}    ";
        if (candidate.Deciding is { } step)
            Paragraph.Write(terminal, inner, $"decided by {step}");
        foreach (string holder in candidate.HeldBy)
            Paragraph.Write(terminal, inner, $"held by {holder}");
        if (candidate is { Deciding: { } refused, HeldBy.Count: 0 } && refused.Text.StartsWith("refused", StringComparison.Ordinal))
            Paragraph.Write(terminal, inner, "held by no call in flight: what an earlier one left in the lock refused it");
        foreach (ComparedRegister register in candidate.Registers)
            Paragraph.Write(terminal, inner, $"{TraceEventText.Name(register.Register)} 0x{register.Actual:x}, recorded 0x{register.Recorded:x}");
        foreach (string other in candidate.Others)
            Paragraph.Write(terminal, inner, terminal.Faint(other));
    }
}
