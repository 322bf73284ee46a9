using TdxVerify.Abi;
using TdxVerify.Model;
using TdxVerify.Model.Mutants;
using TdxVerify.Properties.Mutants;
using Xunit;

namespace TdxVerify.Tests.Laws;

/// <summary>Sequences that are carried out on a mutant with nothing to compare with: the laws tell it.</summary>
public class LawJudgeTests
{
    private static readonly PlatformInfo s_platform = new();
    private static readonly LeafSet<ObservedState> s_declared = LeafSet<ObservedState>.Of(s_platform.Profile);
    private static readonly IReadOnlyList<Mutant<ObservedState>> s_mutants = MutantDerivation<ObservedState>.Derive(s_declared);
    private static readonly ReachedSequence[] s_sweeps = SequencePool.Sweep(s_platform, [HostLeaf.TDH_MR_EXTEND, HostLeaf.TDH_MEM_SEPT_RD], () => false);

    [Theory]
    [InlineData("TDH.MR.EXTEND step 14 swapped with step 15", "first-failure-wins", "the lifecycle is not TD_KEYS_CONFIGURED")]
    [InlineData("TDH.MEM.SEPT.RD step 20 swapped with step 21", "first-failure-wins", "the S-EPT tree refuses a shared lock")]
    public void Calls_with_two_things_wrong_tell_two_checks_in_the_other_order(string mutant, string law, string reason)
    {
        Kill kill = new LawJudge(s_platform).Judge(Mutant(mutant), s_sweeps);
        Assert.Equal(law, kill.Law);
        Assert.Contains(reason, kill.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_said_of_a_mutant_does_not_depend_on_those_judged_before()
    {
        Mutant<ObservedState>[] mutants = [.. s_mutants.Where(mutant => mutant.Leaf.Name == "TDH.MR.EXTEND")];
        var one = new LawJudge(s_platform);
        Kill[] together = [.. mutants.Select(mutant => one.Judge(mutant.Apply(s_declared), s_sweeps))];
        Kill[] apart = [.. mutants.Select(mutant => new LawJudge(s_platform).Judge(mutant.Apply(s_declared), s_sweeps))];
        Assert.Equal(apart, together);
        Assert.Contains(together, kill => kill.By == KilledBy.Law);
    }

    [Fact]
    public void No_further_sequence_is_begun_after_so_many_events()
    {
        var judge = new LawJudge(s_platform);
        judge.Judge(s_declared, s_sweeps, maximum: 1);
        Assert.InRange(judge.Events, 1, s_sweeps[0].Events.Length);
    }

    private static LeafSet<ObservedState> Mutant(string id) =>
        s_mutants.Single(mutant => mutant.Id.StartsWith(id + ":", StringComparison.Ordinal)).Apply(s_declared);
}
