using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Mutants;
using TdxVerify.Properties.Sweeps;
using Xunit;

namespace TdxVerify.Tests.Mutants;

/// <summary>The scripts among the sweeps get to what they are about. That all sweeps keep the laws is tested with the laws.</summary>
public class SweepTests
{
    [Theory]
    [InlineData("pages inside a 2 MiB page")]
    [InlineData("pages inside a 1 GiB page")]
    public void Host_priority_outlasts_the_merged_page(string name)
    {
        ISweep script = All(ModuleProfile.V1_5_01).Single(candidate => candidate.Name == name);
        TraceEvent[] events = SequencePool.Sweep(new PlatformInfo(), [script], () => false).Single().Events;
        TraceEvent[] last = [.. events.TakeLast(20)];
        Assert.All(last, e => Assert.Equal(TraceEventKind.Lock, e.Kind));
        Assert.All(last, e => Assert.False(e.Ok));
    }

    [Fact]
    public void Two_illegal_parameters_show_every_failure_of_init()
    {
        ISweep script = All(ModuleProfile.V1_5_05).Single(candidate => candidate.Name == "TD_PARAMS");
        ReachedSequence sequence = SequencePool.Sweep(new PlatformInfo { Profile = ModuleProfile.V1_5_05 }, [script], () => false).Single();
        Leaf<ArraysState> init = LeafSet<ArraysState>.Of(ModuleProfile.V1_5_05).Host((ulong)HostLeaf.TDH_MNG_INIT)!;
        int attributes = init.Steps.ToList().FindIndex(step => step.Text == "ATTRIBUTES legal");
        int[] silent =
        [
            .. Enumerable.Range(attributes, init.Steps.Length - attributes).Where(index => init.Steps[index].Test is not null)
                .Where(index => sequence.FirstAt(init.Index, index + 1, TdxVerify.Model.Mutants.MutantReach.Fails) is null),
        ];
        Assert.Equal(
            [
                "CPUID configuration (bytes 256..447) taken as legal; where the processor refuses it, this TD is not modelled",
                "NUM_L2_VMS is 0, or this TD is not modelled",
            ],
            silent.Select(index => init.Steps[index].Text));
    }

    private static IEnumerable<ISweep> All(ModuleProfile profile) =>
        SweepCatalogue.Of(LeafSet<ObservedState>.Of(profile)).Where(sweep => sweep is ScriptedSweep);
}
