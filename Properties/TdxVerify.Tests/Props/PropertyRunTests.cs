using TdxVerify.Abi;
using TdxVerify.Hardware.Replay;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Campaigns;
using TdxVerify.Properties.Choices;
using TdxVerify.Properties.Generation;
using TdxVerify.Properties.Laws;
using TdxVerify.Properties.Runs;
using TdxVerify.Properties.Shrinking;
using TdxVerify.Reference;
using Xunit;

namespace TdxVerify.Tests.Props;

/// <summary>The main job: random sequences against the reference, all laws, every interesting case met.</summary>
public class PropertyRunTests
{
    private const int Sequences = 500;

    public static TheoryData<ModuleProfile> Profiles => [.. ModuleProfiles.All.Select(profile => profile.Profile)];

    [Theory]
    [MemberData(nameof(Profiles))]
    public void Every_law_holds_for_the_reference_and_its_interesting_cases_occur(ModuleProfile profile)
    {
        var platform = new PlatformInfo { Profile = profile };
        using var port = new ReferencePort(platform);
        List<Law> laws = [new ConformanceLaw(), .. LawBook.Create()];
        var runner = new SequenceRunner(new EventRunner(ModelPorts.Observed(platform), port, laws), GenerationLimits.None);
        for (ulong seed = 0; seed < Sequences; seed++)
        {
            RunFailure? failure = runner.Run(ChoiceStream.FromSeed(seed, PropsOptions.DefaultOperations));
            Assert.True(failure is null, $"seed {seed}, operation {failure?.Operation}: {failure?.Law}: {failure?.Reason}");
        }

        IEnumerable<string> missing = laws.SelectMany(law => law.Sometimes.Where(item => item.Count == 0).Select(item => $"{law.Name}: {item.Case}"));
        Assert.Empty(missing);

        // What is left can be met only by a fatal TD, a held KOT and the like, or in 1 GiB pages now and then.
        Machine<ObservedState> machine = runner.Events.Model.Machine;
        List<long> decided = [.. machine.Leaves.All.SelectMany(leaf => leaf.Steps.Zip(machine.Coverage(leaf).Skip(1)).Where(item => item.First.Test is not null).Select(item => item.Second))];
        Assert.InRange(decided.Count(count => count > 0) / (double)decided.Count, 0.8, 1);
    }

    [Theory]
    [MemberData(nameof(Profiles))]
    public void Every_law_holds_for_an_implementation_whose_choice_points_fail_by_themselves(ModuleProfile profile)
    {
        var platform = new PlatformInfo { Profile = profile };
        using var port = new SelfDecidingPort(platform, seed: 1);
        List<Law> laws = [new ConformanceLaw(), .. LawBook.Create()];
        var runner = new SequenceRunner(new EventRunner(ModelPorts.Observed(platform), port, laws), GenerationLimits.None);
        for (ulong seed = 0; seed < Sequences / 2; seed++)
        {
            RunFailure? failure = runner.Run(ChoiceStream.FromSeed(seed, PropsOptions.DefaultOperations));
            Assert.True(failure is null, $"seed {seed}, operation {failure?.Operation}: {failure?.Law}: {failure?.Reason}");
        }

        Assert.Contains(laws.SelectMany(law => law.Sometimes), item => item.Case == "a choice point failed" && item.Count > 0);
    }

    [Fact]
    public void The_same_seed_gives_the_same_sequence()
    {
        List<PlannedEvent> first = Record(0x1234);
        List<PlannedEvent> second = Record(0x1234);
        Assert.NotEmpty(first);
        Assert.Equal(first.Select(planned => planned.Event.Output), second.Select(planned => planned.Event.Output));
        Assert.NotEqual(first.Select(planned => planned.Event.Input), Record(0x1235).Select(planned => planned.Event.Input));
    }

    [Fact]
    public void A_faulty_implementation_is_found_and_its_sequence_made_minimal()
    {
        var platform = new PlatformInfo();
        LeafSet<ArraysState> declared = LeafSet<ArraysState>.Of(platform.Profile);
        Leaf<ArraysState> block = declared.All.Single(leaf => leaf.Id.Name == "TDH.MEM.RANGE.BLOCK");
        LeafSet<ArraysState> faulty = declared.With(block.With(block.Steps.Where(step => !step.Text.StartsWith("BEPOCH", StringComparison.Ordinal))));
        Assert.NotEqual(block.Steps.Length, faulty.All.Single(leaf => leaf.Id == block.Id).Steps.Length);
        using var worker = new PropsWorker(new PropsOptions
        {
            Platform = platform,
            OpenPort = () => new ModelPort<ArraysState>(new ArraysState(platform), faulty),
            Laws = [LawBook.Conformance],
            Seed = 1,
            ShrinkTime = TimeSpan.FromSeconds(20),
        });
        long round = 0;
        FoundFailure? found = worker.Run(() => round++, () => round > 100);
        Assert.NotNull(found);
        Assert.Equal(LawBook.Conformance, found.Failure.Law);

        // A TD (create, key, six TDCS pages, init), its S-EPT pages, a page, block, and the call that tells.
        Assert.InRange(found.Events.Count, 8, 45);
        Assert.Contains(found.Events, planned => LeafNames.Number(planned.Event.Input.Rax) == (ushort)HostLeaf.TDH_MEM_RANGE_BLOCK);
        Assert.NotNull(PlanRunner.Run(worker.Runner, found.Events));
    }

    [Fact]
    public void A_shrunk_stream_is_smaller_in_every_candidate()
    {
        ChoiceStream stream = ChoiceStream.FromSeed(5, 6);
        List<ChoiceStream> candidates = [.. new StreamShrinker().Shrink(stream, needed: 5)];
        Assert.NotEmpty(candidates);
        Assert.All(candidates, candidate => Assert.True(
            candidate.Operations < stream.Operations || NonZero(candidate) < NonZero(stream)));
    }

    [Fact]
    public void A_saved_failure_breaks_the_same_law_again()
    {
        List<PlannedEvent> events = Record(0x77);
        string file = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():n}.jsonl");
        try
        {
            var platform = new PlatformInfo();
            using var port = new ReferencePort(platform);
            var runner = new EventRunner(ModelPorts.Observed(platform), port, [new ConformanceLaw()]);
            FailureFile.Write(file, runner, port.Name, events);
            var trace = TraceFile.Load(file);
            IReadOnlyList<PlannedEvent> planned = FailureFile.Plan(Assert.Single(trace.Sequences));
            Assert.Null(PlanRunner.Run(runner, planned));
            Assert.Equal(ReplayVerdict.Accepted, new PortReplayer(ModelPorts.Fast(platform)).Replay(trace).Verdict);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void The_table_of_laws_in_the_readme_is_current()
    {
        string readme = File.ReadAllText(Path.Combine(RepositoryRoot.Path, "Properties", "README.md"));
        IEnumerable<Law> laws = [new ConformanceLaw(), .. LawBook.Create()];
        Assert.All(laws, law => Assert.Contains($"| `{law.Name}` | {law.Statement} |", readme, StringComparison.Ordinal));
    }

    private static int NonZero(ChoiceStream stream) => stream.ToArray().Count(value => value != 0);

    private static List<PlannedEvent> Record(ulong seed)
    {
        var platform = new PlatformInfo();
        using var port = new ReferencePort(platform);
        var runner = new SequenceRunner(new EventRunner(ModelPorts.Observed(platform), port, [new ConformanceLaw()]), GenerationLimits.None);
        var events = new List<PlannedEvent>();
        Assert.Null(runner.Run(ChoiceStream.FromSeed(seed, 300), events));
        return events;
    }
}
