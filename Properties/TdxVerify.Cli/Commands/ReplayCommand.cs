using System.CommandLine;
using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Properties.Campaigns;
using TdxVerify.Properties.Choices;
using TdxVerify.Properties.Targets;

namespace TdxVerify.Cli.Commands;

/// <summary><c>replay FILE|SEED</c>: carries a sequence out again, against an implementation and the laws.</summary>
internal static class ReplayCommand
{
    public static Command Create(Terminal terminal)
    {
        var what = new Argument<string>("FILE|SEED") { Description = "a saved sequence (any trace), or the seed of one, such as 0x1234" };
        Option<string> target = CommonOptions.Target(PortTarget.Reference);
        Option<string> profile = CommonOptions.Profile("the module version; without it, the trace's, or 1.5.01 for a seed");
        var operations = new Option<int>("--operations") { HelpName = "N", Description = "for a seed: operations of the sequence", DefaultValueFactory = _ => PropsOptions.DefaultOperations };
        var sequence = new Option<int?>("--sequence") { HelpName = "N", Description = "for a file of several sequences: only this one" };
        var output = new Option<string>("--output") { HelpName = "DIR", Description = "where a failing sequence is saved", DefaultValueFactory = _ => "failures" };
        Option<bool> json = CommonOptions.Json();
        var command = new CliCommand("replay", "carries out a saved sequence, or that of a seed, again")
        {
            Details = "The sequence's inputs are carried out on the implementation and on the model, and all laws are checked. A file's recorded answers are not "
                + "looked at; trace check does that. A file with a schedule has calls that overlap: it is followed step by step, on the model. Exit status: 0 every law held; 1 one is broken; 2 the sequence could not be read.",
            Examples =
            [
                ("failures/conformance-0000000000001234.jsonl", "a saved failure"),
                ("0x1234 --target native:./module.so", "the sequence of a seed, on a library"),
                ("0x1234 --schedule pct", "the calls that overlap and the schedules of a seed"),
            ],
        };
        command.Add(what);
        command.Add(target);
        command.Add(profile);
        command.Add(operations);
        command.Add(sequence);
        command.Add(output);
        command.Add(json);
        var schedules = new ScheduleRequest();
        schedules.AddTo(command);
        var law = new Option<string[]>("--law") { HelpName = "NAME", Description = "with --schedule: check only this law; may be given several times" };
        command.Add(law);
        command.SetAction(parsed =>
        {
            PortTarget port = PortTarget.Parse(parsed.GetRequiredValue(target));
            ModuleProfile? version = CommonOptions.ParseProfile(parsed.GetValue(profile));
            string text = parsed.GetRequiredValue(what);
            bool isSeed = PropsCommand.TryParseSeed(text, out ulong seed) && !File.Exists(text);
            if (isSeed && parsed.GetValue(sequence) is not null)
                throw new InputException("--sequence: a seed has one sequence; the option is for a file of several");
            if (!isSeed && parsed.GetResult(operations) is { Implicit: false })
                throw new InputException("--operations: a file has the operations that it has; the option is for a seed");
            if (!isSeed && !Path.Exists(text))
                throw new InputException($"{text}: no such file, and no seed; a seed is written 0x1234 or 4660");
            SavedFailure.CheckFolder(parsed.GetRequiredValue(output));
            var overlapping = new SchedulesCommand(terminal, parsed.GetRequiredValue(output), parsed.GetValue(json));
            if (isSeed && schedules.Parse(parsed, version ?? ModuleProfile.V1_5_01, parsed.GetValue(law) ?? []) is { } options)
                return overlapping.Replay(options, seed);
            if (!isSeed && TraceFile.Load(text) is { Header.Schedule: not null } trace)
                return overlapping.Replay(trace);
            return isSeed
                ? Seed(terminal, port, version ?? ModuleProfile.V1_5_01, seed, parsed.GetValue(operations), parsed.GetRequiredValue(output), parsed.GetValue(json))
                : Trace(terminal, port, version, text, parsed.GetValue(sequence), parsed.GetRequiredValue(output), parsed.GetValue(json));
        });
        return command;
    }

    private static int Seed(Terminal terminal, PortTarget target, ModuleProfile profile, ulong seed, int operations, string output, bool asJson)
    {
        if (operations is < 1 or > 1_000_000)
            throw new InputException($"--operations: {operations} is out of range, it is from 1 to 1000000");
        PropsOptions options = Options(target, new PlatformInfo { Profile = profile }) with { Seed = seed, Operations = operations };
        using var worker = new PropsWorker(options);
        FoundFailure? failure = worker.RunOne(ChoiceStream.FromSeed(seed, operations));
        return Report(terminal, target, options, worker, failure, output, asJson);
    }

    private static int Trace(Terminal terminal, PortTarget target, ModuleProfile? profile, string file, int? number, string output, bool asJson)
    {
        TraceFile trace = TraceFile.Load(file);
        if (number is not null && trace.Sequences.All(sequence => sequence.Number != number))
            throw new InputException($"{file}: there is no sequence {number}; it has {trace.Sequences.Count} sequences, trace show lists them");
        PlatformInfo platform = profile is { } version ? trace.Header.Platform with { Profile = version } : trace.Header.Platform;
        PropsOptions options = Options(target, platform);
        using var worker = new PropsWorker(options);
        foreach (TraceSequence sequence in trace.Sequences.Where(sequence => number is null || sequence.Number == number))
        {
            if (worker.RunOne(FailureFile.Plan(sequence)) is { } failure)
                return Report(terminal, target, options, worker, failure, output, asJson);
        }

        return Report(terminal, target, options, worker, null, output, asJson);
    }

    private static PropsOptions Options(PortTarget target, PlatformInfo platform)
    {
        using IPort port = target.Open(platform);
        PlatformInfo actual = port.Platform;
        return new PropsOptions { Platform = actual, OpenPort = () => target.Open(actual) };
    }

    private static int Report(Terminal terminal, PortTarget target, PropsOptions options, PropsWorker worker, FoundFailure? failure, string output, bool asJson)
    {
        string implementation = target.Name;
        PropsResult result = PropsCampaign.ReportOf(worker, options, failure);
        SavedFailure? saved = failure is null ? null : SavedFailure.Save(output, options, implementation, failure);
        if (asJson)
            PropsJson.Write(terminal, result, saved);
        else
            new PropsText(terminal, implementation, options).WriteVerdict(result, saved, target.Name);
        return failure is null ? ExitStatus.Held : ExitStatus.Broken;
    }
}
