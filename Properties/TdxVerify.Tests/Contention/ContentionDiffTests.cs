using TdxVerify.Abi;
using TdxVerify.Model;
using TdxVerify.Properties.Contention;
using Xunit;

namespace TdxVerify.Tests.Contention;

/// <summary>What a module version changes for calls that overlap: also versions that are only proposed.</summary>
public sealed class ContentionDiffTests
{
    private static readonly ContentionRecordings s_recordings = ContentionRecordings.BuiltIn();

    [Fact]
    public void In_1_5_05_version_1_of_VP_INIT_makes_others_busy_on_the_TDR_and_nothing_else_changes()
    {
        ContentionDiff diff = Between(ModuleProfile.V1_5_01, ModuleProfile.V1_5_05, pair => pair.Scenario == "build" && (Is(pair, "VP.INIT v1") || Is(pair, "VP.INIT v1 (version 1)")));

        Assert.Contains(new BusyCause("VP.ENTER", "TDR", "VP.INIT (version 1)"), diff.NewCauses);
        Assert.Contains(new BusyCause("VP.INIT (version 1)", "TDR", "TRACK"), diff.NewCauses);
        Assert.All(diff.NewCauses, cause => Assert.Contains("VP.INIT (version 1)", (string[])[cause.Leaf, cause.Maker]));
        Assert.Empty(diff.GoneCauses);
        Assert.DoesNotContain(diff.Pairs, change => change.NewlyHalts || change.NewNotSerializable.Any());
    }

    [Fact]
    public void In_1_5_05_RANGE_UNBLOCK_names_another_operand()
    {
        ContentionDiff diff = Between(ModuleProfile.V1_5_01, ModuleProfile.V1_5_05, pair => pair.A.Name == "RANGE.UNBLOCK 5000/0" && pair.B.Name == "TRACK");
        AnswerRow row = Assert.Single(DiffSummary.OtherAnswers(diff));

        Assert.Equal(("RANGE.UNBLOCK", 1), (row.Leaf, row.Pairs));
        Assert.Equal(["TDX_TLB_TRACKING_NOT_DONE(RCX)"], row.New);
        Assert.Equal(["TDX_TLB_TRACKING_NOT_DONE(SEPT_TREE)"], row.Gone);
        Assert.Empty(DiffSummary.NewBusy(diff));
    }

    [Fact]
    public void Without_the_lock_on_free_entries_nothing_at_a_free_entry_is_busy_because_of_the_guest()
    {
        ContentionDiff diff = Between(ModuleProfile.V1_5_01, ModuleProfile.NoFreeEntryLock, pair => pair.Scenario == "run" && pair.A.Gpa is 0x3000 or 0x2000 && pair.B.Gpa == pair.A.Gpa);
        PairChange[] free = [.. diff.Pairs.Where(change => change.After.A.Gpa == 0x3000)];

        Assert.Empty(diff.NewCauses);
        Assert.DoesNotContain(diff.Pairs, change => change.NewBusy.Any() || change.NewlyHalts || change.NewNotSerializable.Any());
        Assert.Contains(free, change => change.GoneBusy.Contains(new BusyCause("PAGE.AUG", "RCX", "TDG.ACCEPT")) && change.GoneBusy.Contains(new BusyCause("TDG.ACCEPT", "RCX", "PAGE.AUG")));
        // N1 of anomalies.md: an ACCEPT that judges a new page by the old, free entry.
        Assert.Equal(4, free.Count(change => change.GoneNotSerializable.Any() && change.After.IsSerializable));
        Assert.DoesNotContain(diff.Pairs, change => change.After.A.Gpa == 0x2000);
    }

    [Fact]
    public void Without_the_zero_step_tree_lock_no_entry_is_busy_on_the_tree_and_the_answers_are_the_same()
    {
        ContentionDiff diff = Between(
            ModuleProfile.V1_5_01, ModuleProfile.NoZeroStepTreeLock, pair => Is(pair, "VP.ENTER zs-missing v3") || Is(pair, "VP.ENTER zs-resolved v2"));

        Assert.Empty(DiffSummary.NewBusy(diff));
        Assert.Empty(DiffSummary.OtherAnswers(diff));
        Assert.NotEmpty(diff.GoneCauses);
        Assert.All(diff.GoneCauses, cause => Assert.Equal("SEPT_TREE", cause.Operand));
        Assert.DoesNotContain(diff.Pairs.SelectMany(change => change.After.Busy), cause => cause.Operand == "SEPT_TREE");
    }

    [Fact]
    public void A_version_changes_nothing_compared_with_itself() =>
        Assert.Empty(Between(ModuleProfile.V1_5_05, ModuleProfile.V1_5_05, pair => Is(pair, "TRACK")).Pairs);

    private static ContentionDiff Between(ModuleProfile before, ModuleProfile after, Func<PlannedPair, bool> wanted) =>
        ContentionDiff.Between(Explore(before, wanted), Explore(after, wanted));

    private static ContentionMatrix Explore(ModuleProfile profile, Func<PlannedPair, bool> wanted) =>
        ContentionMatrix.Compute(s_recordings, LeafSet<BranchingState>.Of(profile), Environment.ProcessorCount, wanted);

    private static bool Is(PlannedPair pair, string name) => pair.A.Name == name || pair.B.Name == name;
}
