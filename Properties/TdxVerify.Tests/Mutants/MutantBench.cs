using TdxVerify.Abi;
using TdxVerify.Model;
using TdxVerify.Model.Mutants;
using TdxVerify.Properties.Mutants;
using TdxVerify.Properties.Sweeps;

namespace TdxVerify.Tests.Mutants;

/// <summary>Mutants by name, and sequences written down in a test.</summary>
internal static class MutantBench
{
    public static PlatformInfo Platform { get; } = new();

    public static LeafSet<ArraysState> Declared { get; } = LeafSet<ArraysState>.Of(ModuleProfile.V1_5_01);

    public static IReadOnlyList<Mutant<ArraysState>> Mutants { get; } = MutantDerivation<ArraysState>.Derive(Declared);

    /// <summary>The mutant of a leaf whose fault reads like this.</summary>
    public static Mutant<ArraysState> Of(string leaf, string fault) =>
        Mutants.Single(mutant => mutant.Leaf.Name == leaf && mutant.Id.Contains(fault, StringComparison.Ordinal));

    public static ReachedSequence[] Script(Action<SweepRunner> script) =>
        SequencePool.Sweep(Platform, [new ScriptedSweep("a script", script)], () => false);

    public static Kill Judge(Mutant<ArraysState> mutant, ReachedSequence[] sequences) =>
        new ConformanceJudge(Platform).Judge(mutant.Apply(Declared), sequences);
}
