using TdxVerify.Abi;
using TdxVerify.Host;
using TdxVerify.Properties.Exploration;
using TdxVerify.Properties.Exploration.Reports;
using TdxVerify.Tests.Host;
using Xunit;
using Xunit.Abstractions;

namespace TdxVerify.Tests.Exploration;

/// <summary>Accesses that a lock guards join the step before them, and what nobody reads is forgotten: neither changes what can happen.</summary>
public sealed class GuardedStepsTests(ITestOutputHelper output)
{
    private const int Runs = 20;
    private const int StepsOfRun = 4000;

    private static readonly string[] s_often = ["TD_EPOCH", "REFCOUNT", "read again under the lock"];

    /// <summary>What there is at the GPA, whether the guest accepts it, and how many vCPUs there are.</summary>
    public static TheoryData<GpaStart, bool, int> Small => new()
    {
        { GpaStart.Free, false, 1 },
        { GpaStart.Mapped, false, 1 },
        { GpaStart.Mapped, true, 1 },
    };

    public static TheoryData<string> Large => [.. ScenarioTable.All.Where(scenario => scenario.Configuration.JoinsGuardedSteps).Select(scenario => scenario.Name)];

    [Theory]
    [MemberData(nameof(Small))]
    public void An_access_that_joins_can_change_places_with_every_step_of_the_others(GpaStart start, bool accepts, int vcpus)
    {
        StepOrder order = OrderOf(MapAndZap(start, accepts, vcpus));

        order.LookEverywhere();

        Assert.Empty(order.Conflicts);
        AssertLookedAt(order, [.. s_often, "S-EPT walk", "BEPOCH", "child count"]);
    }

    [Fact]
    public void So_it_can_where_a_thread_kicks_the_vCPU()
    {
        HostProgram entersWithInterruptsOn = HostProgram.Named("enters with interrupts on")
            .State("mode", Do.SetMode(VcpuMode.IN_GUEST_MODE)).Next("enter")
            .State("enter", Do.Seamcall(HostLeaf.TDH_VP_ENTER)).Otherwise("done")
            .Build();
        StepOrder order = OrderOf(new Configuration("kick")
        {
            Guests = [Touches],
            Agents = [HostAgent.OfVcpu(0, entersWithInterruptsOn), new HostAgent("kicker", SmallPrograms.Kicker) { Lp = 1 }],
        });

        order.LookEverywhere();

        Assert.Empty(order.Conflicts);
        AssertLookedAt(order, ["TD_EPOCH", "REFCOUNT"]);
    }

    [Theory]
    [MemberData(nameof(Large))]
    public void So_it_can_along_random_runs_of_the_scenarios_that_are_too_large_for_all_states(string name)
    {
        StepOrder order = OrderOf(ScenarioTable.Find(name)!.Configuration);

        order.LookAlong(Runs, StepsOfRun);

        Assert.Empty(order.Conflicts);
        AssertLookedAt(order, s_often);
    }

    [Fact]
    public void An_attempt_at_an_entry_lock_cannot()
    {
        HostMachine machine = new(MapAndZap(GpaStart.Free, accepts: false, vcpus: 1));
        var order = new StepOrder(machine, thread => machine.NextStepOf(thread) == "S-EPT entry, host flavour");

        order.LookEverywhere();

        Assert.Contains(order.Conflicts, conflict => conflict.Contains("TDH.MEM.PAGE.REMOVE", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Small))]
    public void To_join_and_to_forget_changes_no_verdict_and_saves_states(GpaStart start, bool accepts, int vcpus)
    {
        Configuration configuration = MapAndZap(start, accepts, vcpus);
        ExploreReport all = Explore(configuration with { ForgetsUnread = false });
        ExploreReport forgets = Explore(configuration);
        ExploreReport joins = Explore(configuration with { JoinsGuardedSteps = true });

        output.WriteLine($"{all.Search.States}, {forgets.Search.States}, {joins.Search.States}");
        Assert.Equal(Findings(all), Findings(forgets));
        Assert.Equal(Findings(all), Findings(joins));
        Assert.True(forgets.Search.States < all.Search.States);
        Assert.True(3 * joins.Search.States < forgets.Search.States);
    }

    [Fact]
    public void Calls_of_which_nobody_said_who_can_notice_them_are_refused()
    {
        Configuration configuration = MapAndZap(GpaStart.Mapped, accepts: false, vcpus: 1) with { JoinsGuardedSteps = true };
        Configuration flushes = configuration with { Agents = [.. configuration.Agents, new HostAgent("flusher", Calls.Once(HostLeaf.TDH_VP_FLUSH)) { Lp = 3, Vcpu = 0 }] };

        Assert.Contains(nameof(Configuration.JoinsGuardedSteps), Assert.Throws<ProgramException>(() => new HostMachine(flushes)).Message, StringComparison.Ordinal);
    }

    private void AssertLookedAt(StepOrder order, string[] expected)
    {
        foreach ((string step, int count) in order.Steps)
            output.WriteLine($"{count,8} {step}");
        Assert.All(expected, part => Assert.Contains(order.Steps.Keys, step => step.Contains(part, StringComparison.OrdinalIgnoreCase)));
    }

    private static StepOrder OrderOf(Configuration configuration)
    {
        var machine = new HostMachine(configuration with { JoinsUnseenSteps = true, JoinsGuardedSteps = false, ForgetsUnread = true });
        var guarded = new GuardedSteps(configuration, machine.Leaves);
        return new StepOrder(machine, thread => guarded.IsNext(thread.Agent, machine.LooksAt(thread) == LooksAt.Everything));
    }

    private static Configuration MapAndZap(GpaStart start, bool accepts, int vcpus) => new("map and zap")
    {
        JoinsUnseenSteps = true,
        ForgetsUnread = true,
        Td = new TdLayout { Vcpus = vcpus, Gpas = GpaLayout.Many(1, start), SeptVeDisable = !accepts },
        Guests = [.. Enumerable.Repeat(accepts ? TouchesAndAccepts : Touches, vcpus)],
        Agents =
        [
            .. Enumerable.Range(0, vcpus).Select(vcpu => HostAgent.OfVcpu(vcpu, Calls.EnterAndFault)),
            new HostAgent("mapper", Calls.MapEach) { Lp = vcpus, Gpas = [0] },
            new HostAgent("zapper", Calls.ZapEach) { Lp = vcpus + 1, Gpas = [0] },
        ],
    };

    private static GuestCode Touches => GuestCode.Named("touches gpa0").At("read", GuestOp.Read(0)).Next("read").Progress("touched its page").Build();

    private static GuestCode TouchesAndAccepts => GuestCode.Named("touches gpa0, accepts it on #VE")
        .At("read", GuestOp.Read(0)).On(When.VirtualizationException, "accept").Otherwise("read").Progress("touched its page")
        .At("accept", GuestOp.Accept(0)).Next("read")
        .Build();

    private static ExploreReport Explore(Configuration configuration) => Explorer.Run(configuration, new SearchOptions { Workers = 2, GoesOn = true });

    private static string[] Findings(ExploreReport report) =>
    [
        report.Verdict.ToString(), .. report.Violations.Select(each => each.Property), .. report.Liveness.Select(each => $"{each.Property} {each.UnderStrongFairness}"),
        .. report.Sometimes.Where(each => each.Depth is not null).Select(each => each.Name),
    ];
}
