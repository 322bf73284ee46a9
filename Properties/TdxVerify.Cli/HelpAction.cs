using System.CommandLine;
using System.CommandLine.Invocation;

namespace TdxVerify.Cli;

/// <summary><c>--help</c> of the root and of each command.</summary>
internal sealed class HelpAction(Terminal terminal) : SynchronousCommandLineAction
{
    private const string Indent = "  ";

    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        Write(parseResult.CommandResult.Command);
        return ExitStatus.Held;
    }

    private void Write(Command command)
    {
        string path = PathOf(command);
        Paragraph.Write(terminal, "", $"{terminal.Bold(path)}: {command.Description}");
        if (command is CliCommand { Details: { Length: > 0 } details })
        {
            terminal.Out.WriteLine();
            Paragraph.Write(terminal, "", details);
        }

        WriteRows("usage", [(Usage(command, path), "")]);
        WriteRows("commands", command.Subcommands.Where(sub => !sub.Hidden).Select(sub => (sub.Name, sub.Description ?? "")));
        WriteRows("arguments", command.Arguments.Select(argument => (Label(argument), argument.Description ?? "")));
        WriteRows("options", Options(command));
        if (command is CliCommand { Examples: { Count: > 0 } examples })
            WriteExamples(path, examples);
        if (command is RootCommand)
        {
            WriteRows("exit status",
            [
                ("0", "everything held"),
                ("1", "a law was broken, a trace rejected, a proposal found wrong"),
                ("2", "it could not run (bad arguments, unreadable input, no device); one line on stderr says what to do"),
            ]);
        }

        if (command.Subcommands.Count > 0)
            terminal.Out.WriteLine($"\n{path} COMMAND --help describes a command.");
    }

    private static string PathOf(Command command) =>
        command.Parents.OfType<Command>().FirstOrDefault() is { } parent ? $"{PathOf(parent)} {command.Name}" : CommandLine.Name;

    private static string Usage(Command command, string path)
    {
        IEnumerable<string> words = [path, .. command.Subcommands.Count > 0 ? ["COMMAND"] : command.Arguments.Select(Label), .. OwnOptions(command).Select(OptionUsage)];
        return string.Join(' ', words);

        static string OptionUsage(Option option)
        {
            string usage = $"{option.Name}{ValueLabel(option)}";
            return option.Required ? usage : $"[{usage}]";
        }
    }

    private static IEnumerable<Option> OwnOptions(Command command) =>
        command.Options.Where(option => !option.Hidden && command is not RootCommand);

    private static IEnumerable<(string, string)> Options(Command command)
    {
        IEnumerable<Option> inherited = Ancestry(command).OfType<RootCommand>().SelectMany(root => root.Options)
            .Where(option => option.Recursive || command is RootCommand);
        return OwnOptions(command).Concat(inherited)
            .Select(option => (string.Join(", ", option.Aliases.Append(option.Name)) + ValueLabel(option), option.Description ?? ""));
    }

    private static IEnumerable<Command> Ancestry(Command command) =>
        command.Parents.OfType<Command>().SelectMany(Ancestry).Append(command);

    private static string ValueLabel(Option option) =>
        option.Arity.MaximumNumberOfValues == 0 || option.ValueType == typeof(bool) ? "" : $" {option.HelpName ?? option.Name.TrimStart('-').ToUpperInvariant()}";

    private static string Label(Argument argument)
    {
        string name = argument.HelpName ?? argument.Name;
        string label = argument.Arity.MaximumNumberOfValues > 1 ? $"{name}..." : name;
        return argument.Arity.MinimumNumberOfValues == 0 ? $"[{label}]" : label;
    }

    private void WriteExamples(string path, IReadOnlyList<(string Arguments, string Meaning)> examples)
    {
        terminal.Out.WriteLine($"\n{terminal.Bold("examples")}");
        foreach ((string arguments, string meaning) in examples)
        {
            terminal.Out.WriteLine($"{Indent}{path} {arguments}".TrimEnd());
            Paragraph.Write(terminal, Indent + Indent, terminal.Faint(meaning));
        }
    }

    private void WriteRows(string heading, IEnumerable<(string Label, string Text)> rows)
    {
        (string, string)[] all = [.. rows];
        if (all.Length == 0)
            return;

        terminal.Out.WriteLine($"\n{terminal.Bold(heading)}");
        Paragraph.WriteRows(terminal, Indent, all);
    }
}
