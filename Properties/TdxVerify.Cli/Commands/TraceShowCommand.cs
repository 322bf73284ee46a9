using System.CommandLine;
using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Properties.Traces;

namespace TdxVerify.Cli.Commands;

/// <summary><c>trace show FILE [--sequence N]</c>: a sequence call by call, with what each changed.</summary>
internal static class TraceShowCommand
{
    private const int LineWidth = 7;
    private const int MaxStatuses = 5;

    public static Command Create(Terminal terminal)
    {
        var file = new Argument<string>("FILE") { Description = "a recorded trace, plain or gzip; - is standard input" };
        var sequence = new Option<int?>("--sequence")
        {
            HelpName = "N",
            CustomParser = result => int.TryParse(result.Tokens[0].Value, out int number) ? number
                : throw new InputException($"--sequence: '{result.Tokens[0].Value}' is no number of a sequence"),
            Description = "show this sequence, event by event; without it, a file with several sequences is shown as a list of them",
        };
        Option<string> profile = CommonOptions.Profile("the module version by which the model shows the state; without it, the one that the trace names");

        var command = new CliCommand("show", "shows a recorded sequence as a person reads it, with the change of state after each event")
        {
            Details = "The state is the model's. Where the model disagrees with the recording, the event says so, and what follows shows what the model makes of it.",
            Examples =
            [
                ("Properties/Recordings/zero-step.jsonl.gz", "the sequences of a trace"),
                ("Properties/Recordings/zero-step.jsonl.gz --sequence 2", "one of them"),
            ],
        };
        command.Add(file);
        command.Add(sequence);
        command.Add(profile);
        command.SetAction(parsed => Run(
            terminal, TraceCommand.Input(terminal, parsed.GetRequiredValue(file)), parsed.GetValue(sequence), CommonOptions.ParseProfile(parsed.GetValue(profile))));
        return command;
    }

    private static int Run(Terminal terminal, TraceInput input, int? wanted, ModuleProfile? profile)
    {
        IReadOnlyList<SequenceSummary> all = TraceStory.Overview(input);
        if (wanted is { } number)
            Tell(terminal, input, all.FirstOrDefault(sequence => sequence.Number == number) ?? throw new InputException(NotFound(input, all, number)), profile);
        else if (all is [var only])
            Tell(terminal, input, only, profile);
        else
            List(terminal, all);
        return ExitStatus.Held;
    }

    private static string NotFound(TraceInput input, IReadOnlyList<SequenceSummary> all, int number) => all.Count == 0
        ? $"{input.Name} has no sequence"
        : $"{input.Name} has no sequence {number}; it has {all.Count}, numbered from {all.Min(sequence => sequence.Number)} to {all.Max(sequence => sequence.Number)}";

    private static void List(Terminal terminal, IReadOnlyList<SequenceSummary> all)
    {
        terminal.Out.WriteLine(terminal.Faint($"{"sequence",8}{"line",8}{"events",8}{"calls",8}  statuses"));
        foreach (SequenceSummary sequence in all)
        {
            string more = sequence.Statuses.Count > MaxStatuses ? $" and {sequence.Statuses.Count - MaxStatuses} others" : "";
            string statuses = string.Join(", ", sequence.Statuses.Take(MaxStatuses).Select(status => $"{status.Name} {status.Count}"));
            Paragraph.Write(terminal, $"{sequence.Number,8}{sequence.Line,8}{sequence.Events,8}{sequence.Calls,8}  ", statuses + more);
        }

        terminal.Out.WriteLine($"\n{all.Count} sequences; --sequence N shows one of them");
    }

    internal static void Tell(Terminal terminal, TraceInput input, SequenceSummary sequence, ModuleProfile? profile)
    {
        string indent = new(' ', LineWidth + 2);
        terminal.Out.WriteLine(terminal.Bold($"sequence {sequence.Number}, line {sequence.Line}: {sequence.Events} events, {sequence.Calls} calls"));
        foreach (StoryEvent e in TraceStory.Tell(input, sequence.Line, profile))
        {
            Paragraph.Write(terminal, $"{e.Line,LineWidth}  ", e.Text);
            if (e.Answer.Length > 0)
                Paragraph.Write(terminal, indent, $"= {e.Answer}");
            foreach (string change in e.Changes)
                Paragraph.Write(terminal, $"{indent}  ", terminal.Faint(change));
            if (e.Note.Length > 0)
                Paragraph.Write(terminal, indent, terminal.Bad($"! {e.Note}"));
        }
    }
}
