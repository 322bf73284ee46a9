using TdxVerify.Host;
using TdxVerify.Model;
using Xunit;
using Xunit.Abstractions;
using HostThread = TdxVerify.Host.Thread;

namespace TdxVerify.Tests.Host;

public sealed class HostMachineTests(ITestOutputHelper output)
{
    private static Configuration TrackVsEnter => new("track-vs-enter")
    {
        Agents =
        [
            HostAgent.OfVcpu(0, SmallPrograms.EnterLoop),
            new HostAgent("tracker", SmallPrograms.Track) { Lp = 1 },
        ],
    };

    [Fact]
    public void Track_and_enter_meet_on_the_epoch_lock_on_both_sides_and_in_the_previous_epoch()
    {
        TinyExplorer<HostThread> explorer = Explore(new HostMachine(TrackVsEnter));

        Assert.Contains("TDH.MEM.TRACK: TDX_OPERAND_BUSY(TD_EPOCH)", explorer.Seen);
        Assert.Contains("TDH.VP.ENTER: TDX_OPERAND_BUSY(TD_EPOCH)", explorer.Seen);
        Assert.Contains("TDH.MEM.TRACK: TDX_PREVIOUS_TLB_EPOCH_BUSY", explorer.Seen);
        Assert.Contains("vCPU 0: entered the guest", explorer.Seen);
    }

    [Fact]
    public void A_guest_that_faults_seven_times_at_one_instruction_meets_a_block_on_the_tree_lock()
    {
        GuestCode reads = GuestCode.Named("reads").At("read", GuestOp.Read(0)).Next("read").Build();
        var machine = new HostMachine(new Configuration("zero-step")
        {
            Td = new TdLayout { Gpas = [new GpaLayout(), new GpaLayout { Start = GpaStart.Mapped }] },
            Guests = [reads],
            Agents =
            [
                HostAgent.OfVcpu(0, SmallPrograms.EnterLoop),
                new HostAgent("blocker", SmallPrograms.Block) { Lp = 1, Gpas = [1], Repeat = 1 },
            ],
        });
        TinyExplorer<HostThread> explorer = Explore(machine);

        Assert.Contains("RANGE.BLOCK meets the S-EPT tree lock", explorer.Seen);
        Assert.Contains("TDH.VP.ENTER: TDX_OPERAND_BUSY(SEPT_TREE)", explorer.Seen);
        ulong entered = 1UL << machine.Events.Select(each => each.Name).ToList().IndexOf("vCPU 0: entered the guest");
        Assert.Equal(7, explorer.PathTo("RANGE.BLOCK meets the S-EPT tree lock").Count(step => (step.Step.Events & entered) != 0));
    }

    [Fact]
    public void A_kick_makes_the_guest_leave_and_the_kicker_waits_for_it()
    {
        TinyExplorer<HostThread> explorer = Explore(new HostMachine(new Configuration("kick")
        {
            Guests = [GuestCode.Spins],
            Agents =
            [
                HostAgent.OfVcpu(0, SmallPrograms.EnterWithMode),
                new HostAgent("kicker", SmallPrograms.Kicker) { Lp = 1 },
            ],
        }));

        Assert.Contains("kicked out of the guest", explorer.Seen);
        Assert.Contains("kicked before the entry", explorer.Seen);
        Assert.Contains("kicker: kicked", explorer.Seen);
        Assert.Equal(0, explorer.Deadlocks);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_interrupted_guest_makes_its_TDG_VP_VMCALL_at_the_next_entry_whatever_ran_before_it(bool ranBefore)
    {
        var machine = new HostMachine(new Configuration("interrupted")
        {
            Interrupts = InterruptMode.Storm,
            Guests = [GuestCode.Named("leaves, then runs on").At("leave", GuestOp.Vmcall).Next("run").At("run", GuestOp.Spin).Next("run").Build()],
            Agents = [HostAgent.OfVcpu(0, SmallPrograms.EnterLoop)],
        });
        var cells = new WrittenCells(machine, []);
        HostThread thread = machine.StartOf(0);
        while (machine.InstructionOf(thread) is null)
            machine.Step(0, ref thread, cells, new FixedChooser(0));
        if (ranBefore)
            LeaveByItself(machine, thread, cells);

        machine.Step(0, ref thread, cells, new FixedChooser(1));

        Assert.Equal("leave", machine.InstructionOf(thread)!.Name);
    }

    // On copies, so that only what the machine itself keeps is changed.
    private static void LeaveByItself(HostMachine machine, HostThread thread, WrittenCells cells)
    {
        WrittenCells copy = cells.Copy();
        while (machine.InstructionOf(thread) is { Name: "leave" })
            machine.Step(0, ref thread, copy, new FixedChooser(0));
    }

    private sealed class WrittenCells(HostMachine machine, Dictionary<Cell, ulong> written) : ICells
    {
        public ulong Read(Cell cell) => written.TryGetValue(cell, out ulong value) ? value : machine.StartOf(cell);

        public void Write(Cell cell, ulong value) => written[cell] = value;

        public WrittenCells Copy() => new(machine, new Dictionary<Cell, ulong>(written));
    }

    private sealed class FixedChooser(int choice) : IChooser
    {
        public int Choose(int count) => choice;
    }

    private TinyExplorer<HostThread> Explore(HostMachine machine)
    {
        var explorer = new TinyExplorer<HostThread>(machine);
        bool complete = explorer.Explore();
        output.WriteLine($"{machine.Configuration.Name}: {explorer.States} states, {explorer.Steps} steps, {explorer.Deadlocks} deadlocks");
        foreach (string name in explorer.Seen)
            output.WriteLine($"  {name}: after {explorer.PathTo(name).Count} steps");
        Assert.True(complete);
        Assert.All(machine.Events.Where(each => each.Kind == EventKind.Violation), law => Assert.DoesNotContain(law.Name, explorer.Seen));
        return explorer;
    }
}
