using System.CommandLine;
using TdxVerify.Abi;
using TdxVerify.Properties.Explain;

namespace TdxVerify.Cli.Commands;

/// <summary><c>explain CODE...</c>: what a status means, where it comes from, and whether to retry.</summary>
internal static class ExplainCommand
{
    public static Command Create(Terminal terminal)
    {
        var codes = new Argument<string[]>("CODE")
        {
            Arity = ArgumentArity.OneOrMore,
            Description = "a status in hexadecimal or decimal, a name such as TDX_OPERAND_BUSY(SEPT_TREE) or TDX_OPERAND_BUSY|SEPT_TREE, "
                + "a line of a kernel log, or - for such lines on standard input",
        };
        var leaf = new Option<string>("--leaf")
        {
            HelpName = "NAME",
            Description = "the leaf that returned it, such as TDH.MEM.PAGE.AUG or tdh_mem_page_aug; a line that names a leaf itself goes by that",
        };
        Option<bool> json = CommonOptions.Json();

        var command = new CliCommand("explain", "what a TDX status means, which step of which leaf returns it, and whether to retry")
        {
            Examples =
            [
                ("0x8000020000000092", "one status"),
                ("'TDX_OPERAND_BUSY|TD_EPOCH' --leaf TDH.MEM.TRACK", "a status by its name, from one leaf"),
                ("'SEAMCALL TDH_MEM_PAGE_AUG failed: 0xc0000b0d00000001, rcx 0x8000000000000000, rdx 0x0'", "a line of a log, with the S-EPT entry in its registers"),
                ("- < dmesg.txt", "every status in a log"),
            ],
        };
        command.Add(codes);
        command.Add(leaf);
        command.Add(json);
        command.SetAction(parsed => Run(terminal, parsed.GetRequiredValue(codes), parsed.GetValue(leaf), parsed.GetValue(json)));
        return command;
    }

    private static int Run(Terminal terminal, string[] codes, string? leafName, bool asJson)
    {
        string? leaf = leafName is null ? null : FindLeaf(leafName);
        IStatusOrigins origins = new ModelStatusOrigins();
        List<ExplainedFinding> explained =
        [
            .. Find(terminal, codes).Select(finding => new ExplainedFinding(finding, StatusExplainer.Explain(finding.Query, finding.Leaf ?? leaf, origins))),
        ];

        if (asJson)
            ExplainJson.Write(terminal, explained);
        else
            ExplainText.Write(terminal, explained);
        return ExitStatus.Held;
    }

    private static string FindLeaf(string name) =>
        LeafParser.Find(name) ?? LeafParser.FindInMessage(name)
        ?? throw new InputException(ClosestName.Find(name.Replace('_', '.'), LeafParser.Names) is { } near
            ? $"--leaf: there is no leaf '{name}', did you mean {near}?"
            : $"--leaf: there is no leaf '{name}'; leaves are named as in TDH.MEM.PAGE.AUG");

    /// <summary>The statuses that the arguments are, or else contain.</summary>
    private static IReadOnlyList<LogFinding> Find(Terminal terminal, string[] codes)
    {
        if (codes is ["-"])
            return FindInText(ReadLines(terminal.In), "standard input");
        if (codes.Contains("-"))
            throw new InputException("explain takes either - or codes, not both");

        List<LogFinding> given = [];
        string firstProblem = "";
        foreach (string code in codes)
        {
            if (StatusParser.TryParse(code, out StatusQuery query, out string problem))
                given.Add(new LogFinding(query, null, null, null, null, Text: "", Lines: []));
            else if (firstProblem.Length == 0)
                firstProblem = problem;
        }

        if (given.Count == codes.Length)
            return given;

        // No codes: then a message, in one argument or split at its spaces by the shell. One that begins like the
        // name of a status is a name with a mistake in it.
        bool isOneWord = codes is [var only] && !only.Contains(' ', StringComparison.Ordinal);
        if (isOneWord && codes[0].StartsWith("TDX_", StringComparison.OrdinalIgnoreCase))
            throw new InputException(firstProblem);

        IReadOnlyList<LogFinding> found = KernelLog.Find(string.Join(' ', codes).Split('\n'));
        if (found.Count > 0 && found.Count >= given.Count)
            return [.. found.Select(finding => finding with { Lines = [] })];
        throw new InputException(isOneWord
            ? firstProblem
            : "there is no TDX status in this text; a status is written 0x8000020000000092 or TDX_OPERAND_BUSY(SEPT_TREE)");
    }

    private static IReadOnlyList<LogFinding> FindInText(IEnumerable<string> lines, string source)
    {
        int count = 0;
        IReadOnlyList<LogFinding> found = KernelLog.Find(lines.Select(line =>
        {
            count++;
            return line;
        }));
        return found.Count > 0 ? found : throw new InputException($"there is no TDX status in {source} ({count} lines)");
    }

    private static IEnumerable<string> ReadLines(TextReader reader)
    {
        while (reader.ReadLine() is { } line)
            yield return line;
    }
}
