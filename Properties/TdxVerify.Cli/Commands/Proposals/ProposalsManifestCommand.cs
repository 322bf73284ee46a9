using System.CommandLine;
using TdxVerify.Abi;
using TdxVerify.Host.Field;
using TdxVerify.Properties.Proposals;
using TdxVerify.Properties.Proposals.Manifest;

namespace TdxVerify.Cli.Commands.Proposals;

/// <summary><c>proposals manifest</c>: everything is run, and compared with what is pinned.</summary>
internal static class ProposalsManifestCommand
{
    public static Command Create(Terminal terminal)
    {
        Option<int> workers = ProposalsCommand.WorkersOption();
        var write = new Option<string>("--write") { HelpName = "FOLDER", Description = "write the files of the manifest there, with what was found" };
        var command = new CliCommand("manifest", "runs every proposal and every bug of the field, and compares with the pinned verdicts")
        {
            Details = "Exit status: 0 all is as pinned; 1 something is not; 2 it could not run. With --write, 0 when the files are written.",
            Examples = [("", "compare"), ("--write Properties/TdxVerify.Properties/Proposals/Manifest", "pin what is found")],
        };
        command.Add(workers);
        command.Add(write);
        command.SetAction(parsed => Run(terminal, ProposalsCommand.ParseWorkers(parsed.GetValue(workers)), parsed.GetValue(write)));
        return command;
    }

    private static int Run(Terminal terminal, int workers, string? folder)
    {
        if (folder is not null && !Directory.Exists(folder))
            throw new InputException($"--write: there is no folder {folder}");
        var run = new ProposalRun(new ProposalOptions { Workers = workers });
        IReadOnlyList<ProposalReport> reports = new ProposalsTable(terminal).RunLive(run);
        IReadOnlyList<FieldResult> field = FieldRun.Run(FieldTable.All, workers, new SystemLimits());
        bool agrees = true;
        foreach ((PinnedFile pinned, PinnedFile found) in ProposalManifest.Pinned.Zip(ProposalManifest.Found(reports, field)))
        {
            agrees &= Compare(terminal, pinned, found);
            if (folder is not null)
                File.WriteAllText(Path.Combine(folder, found.Name), found.Text);
        }

        terminal.Out.WriteLine($"{reports.Sum(report => report.States) + field.Sum(result => result.Result.States):N0} states, {run.Elapsed.TotalSeconds:0.0} s");
        return agrees || folder is not null ? ExitStatus.Held : ExitStatus.Broken;
    }

    private static bool Compare(Terminal terminal, PinnedFile pinned, PinnedFile found)
    {
        string[] gone = [.. pinned.Rows.Except(found.Rows)];
        string[] added = [.. found.Rows.Except(pinned.Rows)];
        bool agrees = pinned.Rows.SequenceEqual(found.Rows);
        terminal.Out.WriteLine($"{(agrees ? terminal.Good("✓") : terminal.Bad("✗"))} {found.Name}: {found.Rows.Count} rows{(agrees ? " as pinned" : $", {added.Length} of them not as pinned")}");
        foreach (string row in gone)
            terminal.Out.WriteLine(terminal.Bad($"  - {row}"));
        foreach (string row in added)
            terminal.Out.WriteLine(terminal.Good($"  + {row}"));
        return agrees;
    }
}
