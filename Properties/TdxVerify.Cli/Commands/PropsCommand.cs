using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using TdxVerify.Abi;
using TdxVerify.Hardware.Ports;
using TdxVerify.Properties.Campaigns;
using TdxVerify.Properties.Explain;
using TdxVerify.Properties.Generation;
using TdxVerify.Properties.Laws;
using TdxVerify.Properties.Schedules;
using TdxVerify.Properties.Targets;
using TdxVerify.Properties.Threads;

namespace TdxVerify.Cli.Commands;

/// <summary><c>props</c>: random sequences against the laws.</summary>
internal static class PropsCommand
{
    private const string DefaultTime = "60s";

    // The judge tells processors apart by the bits of a number, and more threads than these only wait for one another.
    private const int MostThreads = 16;

    public static Command Create(Terminal terminal)
    {
        Option<string> target = CommonOptions.Target(PortTarget.Reference);
        Option<string> profile = CommonOptions.Profile("the module version; without it, 1.5.01");
        Option<string> time = Durations.Option("--time", "how long to run", DefaultTime);
        var seed = new Option<string>("--seed") { HelpName = "NUMBER", Description = "the seed that all sequences follow from, in hexadecimal or decimal; without it, a new one" };
        var law = new Option<string[]>("--law") { HelpName = "NAME", Description = $"check only this law; may be given several times. Laws: {string.Join(", ", LawNames())}" };
        var operations = new Option<int>("--operations") { HelpName = "N", Description = "operations of one sequence", DefaultValueFactory = _ => PropsOptions.DefaultOperations };
        var jobs = new Option<int>("--jobs") { HelpName = "N", Description = "workers; without it, one for each processor", DefaultValueFactory = _ => Environment.ProcessorCount };
        var output = new Option<string>("--output") { HelpName = "DIR", Description = "where a failing sequence is saved", DefaultValueFactory = _ => "failures" };
        var threads = new Option<int?>("--threads") { HelpName = "N", Description = "call from N threads at once, one for each logical processor, and judge the history: some interleaving must explain every answer" };
        Option<bool> json = CommonOptions.Json();

        var command = new CliCommand("props", "checks every law by random sequences of calls against an implementation")
        {
            Details = "Sequences are drawn against the model's state: mostly calls that can succeed, some near misses, held locks and garbage. Each answer is "
                + "compared with the model's in all registers, and the laws are checked on the state after each call. A sequence that breaks a law is made as small "
                + "as possible, printed, and saved. With --schedule, calls of several processors overlap instead, carried out on the model one visible step at a time. Ctrl-C ends the run with what it has. Exit status: 0 every law held; 1 one was broken; 2 the run could not start; 130 it was interrupted before "
                + "a law was broken.",
            Examples =
            [
                ("", "all laws against the reference, about a minute"),
                ("--time 30s --profile 1.5.05", "another module version"),
                ("--law conformance --target native:./module.so", "one law, against a library"),
                ("--seed 0x1234 --jobs 1", "the same sequences as before"),
                ("--schedule pct --depth 3 --time 20s", "calls that overlap, in random schedules"),
                ("--threads 4 --time 20s", "calls that overlap, from real threads"),
            ],
        };
        command.Add(target);
        command.Add(profile);
        command.Add(time);
        command.Add(seed);
        command.Add(law);
        command.Add(operations);
        command.Add(jobs);
        command.Add(output);
        command.Add(threads);
        command.Add(json);
        var schedules = new ScheduleRequest();
        schedules.AddTo(command);
        command.SetAction(parsed => parsed.GetValue(threads) is { } count ? RunThreads(count, parsed)
            : schedules.Parse(parsed, CommonOptions.ParseProfile(parsed.GetValue(profile)) ?? ModuleProfile.V1_5_01, parsed.GetValue(law) ?? []) is { } options ? RunSchedules(options, parsed)
            : Run(
            terminal,
            new Request(
                PortTarget.Parse(parsed.GetRequiredValue(target)),
                CommonOptions.ParseProfile(parsed.GetValue(profile)) ?? ModuleProfile.V1_5_01,
                Durations.Parse("--time", parsed.GetRequiredValue(time)),
                ParseSeed(parsed.GetValue(seed)),
                ParseLaws(parsed.GetValue(law)),
                InRange("--operations", parsed.GetValue(operations), 1, 1_000_000),
                InRange("--jobs", parsed.GetValue(jobs), 1, 256),
                parsed.GetRequiredValue(output)),
            parsed.GetValue(json)));
        return command;

        int RunSchedules(ScheduleOptions options, ParseResult parsed)
        {
            if (parsed.GetResult(target) is { Implicit: false })
                throw new InputException("--target: --schedule carries calls out on the model, step by step; leave --target out");
            CommonOptions.Refuse(parsed, "with --schedule", operations);
            return new SchedulesCommand(terminal, parsed.GetRequiredValue(output), parsed.GetValue(json)).Run(options with
            {
                Time = Durations.Parse("--time", parsed.GetRequiredValue(time)),
                Seed = ParseSeed(parsed.GetValue(seed)),
                Workers = InRange("--jobs", parsed.GetValue(jobs), 1, 256),
            });
        }

        int RunThreads(int count, ParseResult parsed)
        {
            if (parsed.GetValue(law) is { Length: > 0 })
                throw new InputException("--law: a run with --threads has one law, that some interleaving explains the history");
            CommonOptions.Refuse(parsed, "with --threads", [operations, jobs, .. schedules.Options]);
            return ThreadsProps.Run(
                terminal,
                PortTarget.Parse(parsed.GetRequiredValue(target)),
                CommonOptions.ParseProfile(parsed.GetValue(profile)) ?? ModuleProfile.V1_5_01,
                new ThreadsOptions
                {
                    Threads = InRange("--threads", count, 2, MostThreads),
                    Time = Durations.Parse("--time", parsed.GetRequiredValue(time)),
                    Seed = ParseSeed(parsed.GetValue(seed)),
                },
                parsed.GetRequiredValue(output),
                parsed.GetValue(json));
        }
    }

    /// <summary>A seed in hexadecimal with 0x, or in decimal.</summary>
    public static bool TryParseSeed(string text, out ulong seed) =>
        text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            ? ulong.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out seed)
            : ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out seed);

    private static IEnumerable<string> LawNames() => LawBook.Create().Select(law => law.Name).Prepend(LawBook.Conformance);

    private static ulong ParseSeed(string? text)
    {
        if (text is null)
            return (ulong)Random.Shared.NextInt64();
        return TryParseSeed(text, out ulong seed)
            ? seed
            : throw new InputException($"--seed: '{text}' is no number; a seed is written 0x1234 or 4660");
    }

    private static string[] ParseLaws(string[]? names)
    {
        foreach (string name in names ?? [])
        {
            if (LawNames().Contains(name))
                continue;
            throw new InputException(ClosestName.Find(name, LawNames()) is { } near
                ? $"--law: there is no law '{name}', did you mean {near}?"
                : $"--law: there is no law '{name}'; laws are {string.Join(", ", LawNames())}");
        }

        return names ?? [];
    }

    private static int InRange(string option, int value, int lowest, int highest) =>
        value >= lowest && value <= highest
            ? value
            : throw new InputException($"{option}: {value} is out of range, it is from {lowest} to {highest}");

    private static int Run(Terminal terminal, Request request, bool asJson)
    {
        SavedFailure.CheckFolder(request.Output);
        (PlatformInfo platform, GenerationLimits limits, string implementation, IReadOnlyList<string> missing) = Probe(request);
        var options = new PropsOptions
        {
            Platform = platform,
            OpenPort = () => request.Target.Open(platform),
            Limits = limits,
            Time = request.Time,
            Seed = request.Seed,
            Operations = request.Operations,
            Laws = request.Laws,
            Workers = request.Target.Name.StartsWith("native:", StringComparison.Ordinal) ? 1 : request.Jobs,
        };
        using var campaign = new PropsCampaign(options);
        var text = new PropsText(terminal, implementation, options);
        if (!asJson)
            text.WriteStart(missing);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => EndEarly(signal, campaign));
        using var termination = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => EndEarly(signal, campaign));
        PropsResult result = asJson ? campaign.Run() : text.RunWithProgress(campaign);
        SavedFailure? saved = result.Failure is { } failure ? SavedFailure.Save(request.Output, options, implementation, failure) : null;
        if (asJson)
            PropsJson.Write(terminal, result, saved);
        else
            text.Write(result, saved, request.Target.Name);
        return result.Failure is not null ? ExitStatus.Broken : result.WasInterrupted ? ExitStatus.Interrupted : ExitStatus.Held;
    }

    // The first signal ends the run with its summary, the next one the process.
    private static void EndEarly(PosixSignalContext signal, PropsCampaign campaign)
    {
        signal.Cancel = !campaign.WasStopped;
        campaign.Stop();
    }

    private static (PlatformInfo Platform, GenerationLimits Limits, string Implementation, IReadOnlyList<string> Missing) Probe(Request request)
    {
        using IPort port = request.Target.Open(new PlatformInfo { Profile = request.Profile });
        PortCapabilities capabilities = PortCapabilities.Probe(port);
        return (port.Platform, new GenerationLimits(capabilities), port.Name, capabilities.Missing);
    }

    private sealed record Request(
        PortTarget Target, ModuleProfile Profile, TimeSpan Time, ulong Seed, string[] Laws, int Operations, int Jobs, string Output);
}
