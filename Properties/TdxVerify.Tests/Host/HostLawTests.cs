using TdxVerify.Abi;
using TdxVerify.Host;
using TdxVerify.Model;
using Xunit;
using Xunit.Abstractions;
using static TdxVerify.Host.Do;
using static TdxVerify.Host.When;
using HostThread = TdxVerify.Host.Thread;

namespace TdxVerify.Tests.Host;

/// <summary>Laws hold on the module as it is, and each is broken by a module, or a host, that breaks it.</summary>
public sealed class HostLawTests(ITestOutputHelper output)
{
    private const ModuleProfile Profile = ModuleProfile.V1_5_01;

    private static readonly LeafSet<CellState> s_leaves = LeafSet<CellState>.Of(Profile);

    private static readonly GuestCode s_reads = GuestCode.Named("reads").At("read", GuestOp.Read(0)).Next("read").Build();

    private static readonly HostProgram s_blockAndRemove = HostProgram.Named("block, track, remove")
        .State("block", Seamcall(HostLeaf.TDH_MEM_RANGE_BLOCK)).Whatever("track")
        .State("track", Seamcall(HostLeaf.TDH_MEM_TRACK)).Whatever("remove")
        .State("remove", Seamcall(HostLeaf.TDH_MEM_PAGE_REMOVE))
            .On(Success, "done").Progress("removed")
            .On(Class(Status.TDX_TLB_TRACKING_NOT_DONE), "done").Sometimes("tracking not done")
            .Otherwise("done")
        .Build();

    // The module, the configuration, and the law that is broken first; empty: none.
    public static TheoryData<string, string, string> Modules => new()
    {
        { "as it is", "remove", "" },
        { "as it is", "track", "" },
        { "as it is", "aug", "the module never halts" },
        { "PAGE.REMOVE without the tracking check", "remove", "a page handed back to the host is not exposed" },
        { "TDH.VP.ENTER takes the epoch lock whoever holds it", "track", "no two agents are in conflicting sections" },
        { "TDH.MEM.TRACK is busy at any time", "track", "every BUSY is justified" },
        { "TDH.MEM.TRACK keeps the epoch lock", "track", "no lock acquired by a call outlives it" },
    };

    [Theory]
    [MemberData(nameof(Modules))]
    public void A_law_is_broken_by_the_module_that_breaks_it_and_by_no_other(string module, string configuration, string broken)
    {
        var machine = new HostMachine(Of(configuration) with { Profile = Profile, Leaves = Module(module), Laws = HostLaws.Locks | HostLaws.NoHostBug });
        var explorer = new TinyExplorer<HostThread>(machine);
        bool complete = explorer.Explore(15_000);
        output.WriteLine($"{explorer.States} states, {(complete ? "complete" : "incomplete")}");

        // Where one law is broken, others may be later.
        string? first = machine.Events.Where(each => each.Kind == EventKind.Violation && explorer.Seen.Contains(each.Name))
            .Select(each => each.Name).MinBy(law => explorer.PathTo(law).Count);
        Assert.Equal(broken, first ?? "");
        Assert.True(complete || broken.Length > 0);
        if (configuration == "remove")
            Assert.Contains("zapper: removed", explorer.Seen);
    }

    [Fact]
    public void A_lane_of_a_counterexample_reads_like_the_steps_of_the_module_and_of_the_host()
    {
        var machine = new HostMachine(Of("track") with { Profile = Profile });
        var explorer = new TinyExplorer<HostThread>(machine);
        explorer.Explore();
        string[] told = [.. explorer.Tell(machine, "TDH.MEM.TRACK: TDX_OPERAND_BUSY(TD_EPOCH)")];

        Assert.Equal("tracker: TDH.MEM.TRACK: TD epoch EXCLUSIVE: refused: TDX_OPERAND_BUSY(TD_EPOCH)", told[^1]);
        Assert.Contains("vCPU 0: TDH.VP.ENTER: begins: TDVPR PAMT 1 GiB entry SHARED", told);
        Assert.Contains("vCPU 0: TDH.VP.ENTER: TD epoch SHARED", told);
        output.WriteLine(string.Join('\n', told));
    }

    [Fact]
    public void To_clear_what_no_step_needs_changes_nothing_that_can_be_seen_and_saves_states()
    {
        Configuration configuration = Of("remove") with { Profile = Profile };
        TinyExplorer<HostThread> trimmed = Explored(configuration);
        TinyExplorer<HostThread> kept = Explored(configuration with { KeepsAll = true });

        Assert.Equal(kept.Seen.Order(StringComparer.Ordinal), trimmed.Seen.Order(StringComparer.Ordinal));
        Assert.Equal(kept.Deadlocks, trimmed.Deadlocks);
        Assert.True(trimmed.States < kept.States, $"{trimmed.States} and {kept.States} states");
        output.WriteLine($"{trimmed.States} and {kept.States} states");
    }

    [Theory]
    [InlineData("remove")]
    [InlineData("track")]
    [InlineData("aug")]
    public void Accesses_that_nobody_can_notice_can_join_the_step_before(string configuration)
    {
        Configuration stepped = Of(configuration) with { Profile = Profile, Laws = HostLaws.Locks };
        TinyExplorer<HostThread> all = Explored(stepped);
        TinyExplorer<HostThread> joined = Explored(stepped with { JoinsUnseenSteps = true });

        Assert.Equal(all.Seen.Order(StringComparer.Ordinal), joined.Seen.Order(StringComparer.Ordinal));
        Assert.Equal(all.Deadlocks > 0, joined.Deadlocks > 0);
        Assert.True(3 * joined.States < all.States, $"{joined.States} and {all.States} states");
        output.WriteLine($"{joined.States} and {all.States} states");
    }

    private static TinyExplorer<HostThread> Explored(Configuration configuration)
    {
        var explorer = new TinyExplorer<HostThread>(new HostMachine(configuration));
        Assert.True(explorer.Explore());
        return explorer;
    }

    private static Configuration Of(string name) => name switch
    {
        "remove" => new Configuration(name)
        {
            Td = new TdLayout { Gpas = GpaLayout.Many(1, GpaStart.Mapped) },
            Guests = [s_reads],
            Agents = [HostAgent.OfVcpu(0, SmallPrograms.EnterLoop) with { Repeat = 2 }, new HostAgent("zapper", s_blockAndRemove) { Lp = 1, Gpas = [0], Repeat = 1 }],
        },
        "aug" => new Configuration(name)
        {
            Td = new TdLayout { Gpas = GpaLayout.Many(1, GpaStart.Free) },
            Agents =
            [
                new HostAgent("mapper", SmallPrograms.Aug) { Lp = 1, Gpas = [0], Repeat = 1 },
                new HostAgent("zapper", s_blockAndRemove) { Lp = 2, Gpas = [0], Repeat = 1 },
            ],
        },
        _ => new Configuration(name) { Agents = [HostAgent.OfVcpu(0, SmallPrograms.EnterLoop), new HostAgent("tracker", SmallPrograms.Track) { Lp = 1 }] },
    };

    private static LeafSet<CellState> Module(string name) => name switch
    {
        "PAGE.REMOVE without the tracking check" => With(HostLeaf.TDH_MEM_PAGE_REMOVE, step => step.Failure.Status >> 32 << 32 == Status.TDX_TLB_TRACKING_NOT_DONE ? null : step),
        "TDH.VP.ENTER takes the epoch lock whoever holds it" => With(HostLeaf.TDH_VP_ENTER, step => TakesEpoch(step) ? step with { Test = TakeWhoeverHolds } : step),
        "TDH.MEM.TRACK is busy at any time" => With(HostLeaf.TDH_MEM_TRACK, step => TakesEpoch(step) ? step with { Test = Refuse } : step),
        "TDH.MEM.TRACK keeps the epoch lock" => With(HostLeaf.TDH_MEM_TRACK, step => step is { Kind: StepKind.Release, Lock.Id: LockId.Epoch } ? null : step),
        _ => s_leaves,
    };

    private static bool TakesEpoch(Step<CellState> step) => step is { Kind: StepKind.Lock, Lock.Id: LockId.Epoch };

    private static bool TakeWhoeverHolds(ref CellState s, ref Call c, int arg)
    {
        const ulong Reader = 2;
        s.SetTd(c.Td, TdField.EpochLock, s.Td(c.Td, TdField.EpochLock) + Reader);
        c.Take(LockId.Epoch, exclusive: false);
        return true;
    }

    private static bool Refuse(ref CellState s, ref Call c, int arg) => false;

    private static LeafSet<CellState> With(HostLeaf leaf, Func<Step<CellState>, Step<CellState>?> change)
    {
        Leaf<CellState> declared = s_leaves.Host((ulong)leaf)!;
        return s_leaves.With(declared.With(declared.Steps.Select(change).OfType<Step<CellState>>()));
    }
}
