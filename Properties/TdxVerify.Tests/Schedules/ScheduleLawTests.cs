using TdxVerify.Abi;
using TdxVerify.Model;
using TdxVerify.Properties.Lanes;
using TdxVerify.Properties.Schedules;
using TdxVerify.Properties.Schedules.Laws;
using Xunit;

namespace TdxVerify.Tests.Schedules;

/// <summary>The laws of overlapping calls hold of the module, and each is broken by a module with a fault; what breaks it is made small.</summary>
public sealed class ScheduleLawTests
{
    private const int Schedules = 3000;

    private static readonly string[] s_run =
    [
        "PAGE.AUG 3000/0", "PAGE.AUG c05000/0 pgN1", "TRACK", "SEPT.RD 4000/0", "VP.ENTER idle v0", "VP.ENTER+TDG.ACCEPT 2000/0 v0",
    ];

    public static TheoryData<ScheduleStrategy> Strategies => [.. SchedulePlans.Strategies];

    [Theory]
    [InlineData(ModuleProfile.V1_5_01)]
    [InlineData(ModuleProfile.V1_5_05)]
    public void All_laws_hold_and_have_something_to_judge(ModuleProfile profile)
    {
        var campaign = new ScheduleCampaign(new ScheduleOptions { Platform = new PlatformInfo { Profile = profile } });
        var coverage = new ScheduleCoverage();
        var judged = new Dictionary<string, long>();
        for (ulong seed = 1; seed <= 24; seed++)
        {
            ScheduleResult result = campaign.RunSeed(seed);
            Assert.True(result.Found is null, $"seed {seed}: {result.Found?.Smallest.Outcome.Failure}");
            coverage.Add(result.Coverage);
            foreach ((string name, _, long count) in result.Laws)
                judged[name] = judged.GetValueOrDefault(name) + count;
        }

        Assert.Equal(InterleavingLaws.Select([]).Select(law => law.Name), judged.Keys);
        Assert.All(judged.Values, count => Assert.True(count > 0));
        Assert.Contains(coverage.Busy, row => row.Operand == "SEPT_TREE");
        Assert.Contains(coverage.Busy, row => row.Operand == "RCX");
        Assert.True(coverage.FinalStates > coverage.Plans, "schedules make no difference");
    }

    [Theory]
    [MemberData(nameof(Strategies))]
    public void That_PAGE_REMOVE_overtaking_PAGE_AUG_halts_the_module_is_found_and_made_two_calls_and_one_switch(ScheduleStrategy strategy)
    {
        ConcurrentPlan plan = SchedulePlans.Of("run", [.. s_run, "PAGE.REMOVE 3000/0"]);
        FailingSchedule? found = SchedulePlans.Find(plan, strategy, SchedulePlans.Leaves, Schedules, NeverHaltsLaw.LawName);

        Assert.NotNull(found);
        Assert.Equal((1, 2), (found.Outcome.ContextSwitches, found.Plan.Calls.Count));
        Assert.Equal([(ulong)HostLeaf.TDH_MEM_PAGE_AUG, (ulong)HostLeaf.TDH_MEM_PAGE_REMOVE], found.Plan.Calls.Select(call => call.Registers.Rax));
        Assert.Equal([0, 1], found.Plan.Calls.Select(call => call.Lp).Order());
        Assert.True(found.Plan.Setup.Count < 16, $"{found.Plan.Setup.Count} events are left of {plan.Setup.Count}");
        using ConcurrentRunner runner = SchedulePlans.Runner(plan, null, NeverHaltsLaw.LawName);
        LaneDiagram lanes = ScheduleStory.Tell(runner, found);
        Assert.Equal(2, lanes.EventCount);
        Assert.Equal("the module halts", lanes.Items.OfType<LaneEvent>().Last().Text);
    }

    // Each row: calls, a leaf, what is wrong with it, the law that says so, the most calls and switches that are left.
    public static TheoryData<string, string, string, string, string, int, int> Faults => new()
    {
        { "PAGE.AUG 3000/0|PAGE.AUG c05000/0 pgN1|TRACK", "TDH.MEM.PAGE.AUG", "drop lock", "page PAMT 4 KiB entry EXCLUSIVE", "sept-and-pamt-agree", 2, 2 },
        { "PAGE.AUG 3000/0|PAGE.AUG 3000/0 otherpg|TRACK", "TDH.MEM.PAGE.AUG", "drop lock", "S-EPT entry, host flavour", "sept-and-pamt-agree", 2, 2 },
        { "TRACK|VP.ENTER idle v0", "TDH.MEM.TRACK", "refuse lock", "TD epoch EXCLUSIVE", "busy-is-justified", 1, 0 },
        { "SEPT.RD 4000/0|TRACK", "TDH.MEM.SEPT.RD", "drop release", "TDR PAMT 4 KiB entry", "no-lock-leaks", 1, 0 },
        { "VP.ENTER idle v0|TRACK", "TD exit", "drop effect", "REFCOUNT[vCPU epoch & 1] -1", "counts-agree", 1, 0 },
        { "RANGE.BLOCK 1000/0|PAGE.REMOVE 1000/0|VP.ENTER idle v0", "TDH.MEM.PAGE.REMOVE", "drop check", "tracked since BEPOCH", "no-stale-translation", 3, 2 },
        { "RANGE.BLOCK 1000/0|TRACK|PAGE.REMOVE 1000/0|VP.ENTER idle v0", "TDH.VP.ENTER", "drop effect", "sample differs from the vCPU epoch: INVEPT", "no-stale-translation", 4, 3 },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_fault_breaks_a_law_and_is_made_minimal(string names, string leaf, string fault, string step, string law, int calls, int switches)
    {
        LeafSet<BranchingState> faulty = SchedulePlans.With(leaf, each => !each.Text.Contains(step, StringComparison.Ordinal) || !IsOfKind(each, fault)
            ? each
            : fault == "refuse lock" ? each with { Test = (ref BranchingState s, ref Call c, int argument) => false } : null);
        ConcurrentPlan plan = SchedulePlans.Of("run", names.Split('|'));
        Assert.Null(SchedulePlans.Find(plan, ScheduleStrategy.Pct, SchedulePlans.Leaves, 50, law));
        FailingSchedule? found = SchedulePlans.Find(plan, ScheduleStrategy.Pct, faulty, Schedules, law);

        Assert.NotNull(found);
        Assert.Equal(law, found.Outcome.Failure!.Law);
        Assert.True(found.Plan.Calls.Count <= calls && found.Outcome.ContextSwitches <= switches, $"{found.Plan.Calls.Count} calls, {ScheduleRun.Text(found.Outcome.Schedule)}");
        using ConcurrentRunner runner = SchedulePlans.Runner(found.Plan, faulty, law);
        var minimal = new MinimalSchedule(runner, found);
        minimal.NoCallCanGo();
        minimal.NoFewerSwitchesDo();
    }

    [Fact]
    public void A_call_that_stands_in_its_own_way_is_justified_in_being_busy()
    {
        // The TDR itself as the new S-EPT page: the call holds it shared, and asks for it exclusively.
        ConcurrentPlan plan = SchedulePlans.Of("run", "SEPT.ADD a00000/1");
        RegisterFile registers = plan.Calls[0].Registers;
        registers.R8 = registers.Rdx;
        plan = plan with { Calls = [plan.Calls[0] with { Registers = registers }] };
        using ConcurrentRunner runner = SchedulePlans.Runner(plan);
        ScheduleOutcome outcome = runner.Run(plan, []);

        Assert.Null(outcome.Failure);
        Assert.Equal("TDX_OPERAND_BUSY(R8)", outcome.Calls[0].Text);
    }

    [Fact]
    public void A_fault_that_drops_the_release_of_a_lock_which_a_failure_releases_first_keeps_that_lock()
    {
        // Before TDH.MNG.INIT the OP_STATE is not one that TDH.MEM.TRACK takes: it releases the OP_STATE lock first.
        ConcurrentPlan plan = SchedulePlans.Of("create", "TRACK");
        using ConcurrentRunner right = SchedulePlans.Runner(plan);
        using ConcurrentRunner faulty = SchedulePlans.Runner(
            plan, SchedulePlans.With("TDH.MEM.TRACK", step => step is { Kind: StepKind.Release, Lock: { Id: LockId.OpState } } ? null : step), "no-lock-leaks");

        ScheduleOutcome outcome = right.Run(plan, []);

        Assert.Equal(("TDX_OP_STATE_INCORRECT", null), (outcome.Calls[0].Text, outcome.Failure));
        Assert.Equal("no-lock-leaks", faulty.Run(plan, []).Failure?.Law);
    }

    private static bool IsOfKind(Step<BranchingState> step, string fault) => fault switch
    {
        "drop lock" or "refuse lock" => step.Kind == StepKind.Lock,
        "drop release" => step.Kind == StepKind.Release,
        "drop effect" => step.Kind == StepKind.Effect,
        _ => step.Kind == StepKind.Check,
    };
}
