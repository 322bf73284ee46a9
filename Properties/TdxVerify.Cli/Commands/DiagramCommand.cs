using System.CommandLine;
using TdxVerify.Abi;
using TdxVerify.Model;
using TdxVerify.Properties.Explain;

namespace TdxVerify.Cli.Commands;

/// <summary><c>diagram NAME</c>: the model's state machines, locks and steps, generated from its declarations.</summary>
internal static class DiagramCommand
{
    private const string AllName = "all";
    private const string Mermaid = "mermaid";
    private const string Dot = "dot";

    public static Command Create(Terminal terminal)
    {
        var name = new Argument<string>("NAME")
        {
            Description = string.Join(", ", ModelDocuments.All.Select(document => $"{document.Name} ({document.Description})")) + $"; {AllName} (every document, with --output)",
        };
        var format = new Option<string>("--format") { Description = $"of a state machine: {Mermaid} (where nothing is said) or {Dot}" };
        var output = new Option<string>("--output") { HelpName = "FOLDER", Description = "write Markdown files there instead, one for each document" };
        var command = new CliCommand("diagram", "the model's state machines as diagrams; its locks and steps as tables")
        {
            Examples =
            [
                ("sept", "the states of an S-EPT entry, in Mermaid"),
                ("td --format dot | dot -Tsvg > td.svg", "the life of a TD, drawn by Graphviz"),
                ("locks", "which leaf takes which lock how, in Markdown"),
                ($"{AllName} --output {ModelDocuments.Folder}", "refreshes the documents that the repository keeps"),
            ],
        };
        command.Add(name);
        command.Add(format);
        command.Add(output);
        command.SetAction(parsed => Run(terminal, parsed.GetRequiredValue(name), parsed.GetValue(format), parsed.GetValue(output)));
        return command;
    }

    private static int Run(Terminal terminal, string name, string? format, string? output)
    {
        IReadOnlyList<ModelDocument> documents = Find(name);
        if (output is not null)
        {
            if (format is not null)
                throw new InputException("--output writes Markdown; it does not go with --format");
            WriteFiles(terminal, documents, output);
        }
        else if (documents is [var document])
        {
            terminal.Out.Write(Text(document, format));
        }
        else
        {
            throw new InputException($"diagram {AllName} writes files; say where with --output, for example --output {ModelDocuments.Folder}");
        }

        return ExitStatus.Held;
    }

    private static IReadOnlyList<ModelDocument> Find(string name)
    {
        if (name == AllName)
            return ModelDocuments.All;
        string[] names = [.. ModelDocuments.All.Select(document => document.Name), AllName];
        return ModelDocuments.All.FirstOrDefault(document => document.Name == name) is { } found
            ? [found]
            : throw new InputException(ClosestName.Find(name, names) is { } near
                ? $"there is no diagram '{name}', did you mean {near}?"
                : $"there is no diagram '{name}'; there are {string.Join(", ", names)}");
    }

    private static string Text(ModelDocument document, string? format) => (document.Machine, format) switch
    {
        (null, null) => document.Markdown(),
        (null, _) => throw new InputException($"diagram {document.Name} is a table in Markdown; --format is for {string.Join(", ", Machines())}"),
        ({ } machine, null or Mermaid) => machine.Mermaid,
        ({ } machine, Dot) => machine.Dot,
        _ => throw new InputException($"--format: there is no format '{format}', only {Mermaid} and {Dot}"),
    };

    private static IEnumerable<string> Machines() => ModelDocuments.All.Where(document => document.Machine is not null).Select(document => document.Name);

    private static void WriteFiles(Terminal terminal, IEnumerable<ModelDocument> documents, string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
            foreach (ModelDocument document in documents)
            {
                string path = Path.Combine(folder, document.FileName);
                File.WriteAllText(path, document.Markdown());
                terminal.Out.WriteLine(path);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new InputException($"--output: {folder} cannot be used as a folder for documents: {e.Message}", e);
        }
    }
}
