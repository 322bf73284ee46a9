using TdxVerify.Abi;
using TdxVerify.Model;
using TdxVerify.Properties.Choices;
using TdxVerify.Properties.Generation;
using TdxVerify.Properties.Laws;
using TdxVerify.Properties.Mutants;
using TdxVerify.Properties.Runs;
using Xunit;

namespace TdxVerify.Tests.Laws;

/// <summary>The laws hold on the model as declared, each also alone, and random runs reach every case of theirs.</summary>
public class LawsHoldTests
{
    private const int Sequences = 1200;
    private const int Operations = 1000;

    private static readonly string[] s_aboutCalls =
    [
        "status-has-its-reason", "success-has-its-preconditions", "first-failure-wins", "busy-iff-refused", "success-has-its-effect",
        "outputs-tell-the-state", "lock-words-keep-only-residue", "zero-step",
    ];

    [Theory]
    [InlineData(ModuleProfile.V1_5_01)]
    [InlineData(ModuleProfile.V1_5_05)]
    public void The_laws_about_calls_hold_and_all_their_cases_occur(ModuleProfile profile)
    {
        Law[] laws = [.. LawBook.Create().Where(law => s_aboutCalls.Contains(law.Name))];
        Assert.Equal(s_aboutCalls.Length, laws.Length);
        var runner = new SequenceRunner(new EventRunner(ModelPorts.Observed(new PlatformInfo { Profile = profile }), null, laws), GenerationLimits.None);
        for (int i = 0; i < Sequences && (i < Sequences / 4 || laws.Any(law => law.Sometimes.Any(c => c.Count == 0))); i++)
            Assert.Null(runner.Run(ChoiceStream.FromSeed((ulong)i, Operations)));
        Assert.Empty(laws.SelectMany(law => law.Sometimes.Where(c => c.Count == 0).Select(c => $"{law.Name}: {c.Case}")));
    }

    [Theory]
    [InlineData(ModuleProfile.V1_5_01)]
    [InlineData(ModuleProfile.V1_5_05)]
    public void All_laws_hold_on_calls_with_one_and_two_things_wrong(ModuleProfile profile) =>
        AllHold(new PlatformInfo { Profile = profile }, SequencePool.Sweep(new PlatformInfo { Profile = profile }, () => false));

    [Theory]
    [InlineData(ModuleProfile.V1_5_01)]
    [InlineData(ModuleProfile.V1_5_05)]
    public void All_laws_hold_on_recordings(ModuleProfile profile)
    {
        ReachedSequence[] recordings = SequencePool.Load(Path.Combine(RepositoryRoot.Path, "Properties", "Recordings"), new PlatformInfo { Profile = profile });
        Assert.NotEmpty(recordings);
        AllHold(new PlatformInfo { Profile = profile }, recordings);
    }

    [Theory]
    [InlineData("status-has-its-reason")]
    [InlineData("success-has-its-preconditions")]
    [InlineData("first-failure-wins")]
    [InlineData("busy-iff-refused")]
    [InlineData("success-has-its-effect")]
    [InlineData("outputs-tell-the-state")]
    [InlineData("lock-words-keep-only-residue")]
    [InlineData("zero-step")]
    public void Each_law_holds_alone(string law) => Assert.Null(FaultyModel.Run(law, new PlatformInfo(), set => set, sequences: 20));

    private static void AllHold(PlatformInfo platform, ReachedSequence[] sequences)
    {
        var judge = new LawJudge(platform);
        LeafSet<ObservedState> declared = LeafSet<ObservedState>.Of(platform.Profile);
        Assert.Empty(sequences.Select(sequence => judge.Unsound(declared, sequence)).Where(broken => broken is not null).Take(10));
    }
}
