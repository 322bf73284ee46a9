using TdxVerify.Abi;
using TdxVerify.Host;
using TdxVerify.Model;
using Xunit;
using static TdxVerify.Host.Do;
using static TdxVerify.Host.When;
using HostThread = TdxVerify.Host.Thread;

namespace TdxVerify.Tests.Host;

/// <summary>What the kernel gives to programs: locks, SRCU, mirror SPTEs, invalidation, functions on other processors.</summary>
public sealed class KernelObjectTests
{
    [Fact]
    public void A_lock_has_one_writer_or_many_readers_and_lets_nobody_pass_who_came_later()
    {
        ulong queue = LockQueue.Join(LockQueue.Join(LockQueue.Join(LockQueue.Join(0, 0, false), 1, false), 2, true), 3, false);

        Assert.Equal([true, true, false, false], Granted(queue));
        Assert.True(LockQueue.HasWaiter(queue));
        queue = LockQueue.Leave(LockQueue.Leave(queue, 0), 1);
        Assert.Equal([false, false, true, false], Granted(queue));
        Assert.True(LockQueue.IsWriteHeld(queue));
        queue = LockQueue.Leave(queue, 2);
        Assert.Equal([false, false, false, true], Granted(queue));
        Assert.Equal(0UL, LockQueue.Leave(queue, 3));
    }

    [Fact]
    public void Whoever_holds_mmu_lock_for_write_is_alone()
    {
        HostProgram Section(HostAction take, string entered, string left) => HostProgram.Named(entered)
            .State("take", take).Next("test")
            .State("test", Test("writing")).On(Yes, "unlock").Sometimes("met a writer").On(No, "write")
            .State("write", entered == "writer" ? Set("writing") : Goto).Next("clear")
            .State("clear", Clear("writing")).Next("unlock")
            .State("unlock", UnlockMmu).Next("done").Progress(left)
            .Build();
        TinyExplorer<HostThread> explorer = Explore(
            new HostAgent("writer", Section(WriteLockMmu, "writer", "wrote")),
            new HostAgent("reader", Section(ReadLockMmu, "reader", "read")) { Lp = 1 },
            new HostAgent("second writer", Section(WriteLockMmu, "writer", "wrote")) { Lp = 2 });

        Assert.DoesNotContain("met a writer", explorer.Seen);
        Assert.Contains("reader: read", explorer.Seen);
        Assert.Equal(0, explorer.Deadlocks);
    }

    // Memslot deletion against a fault handler that retries in place (facts/retry-proposals.md, bug 8).
    [Fact]
    public void Synchronize_srcu_waits_for_ever_for_a_reader_that_waits_for_it()
    {
        HostProgram delete = HostProgram.Named("kvm_set_memslot")
            .State("C2", Set("slot invalid")).Next("C3")
            .State("C3", SynchronizeSrcu).Next("C5")
            .State("C5", Clear("slot invalid")).Next("done").Progress("deleted")
            .Build();
        HostProgram fault = HostProgram.Named("tdx_handle_ept_violation")
            .State("R4", SrcuReadLock).Next("V4")
            .State("V4", Test("slot invalid")).On(Yes, "V4").On(No, "E7")
            .State("E7", SrcuReadUnlock).Next("done").Progress("resolved")
            .Build();
        var machine = Machine(new HostAgent("deleter", delete), new HostAgent("faulter", fault) { Lp = 1 });
        TinyExplorer<HostThread> explorer = Explored(machine);

        Assert.Contains("deleter: deleted", explorer.Seen);
        Assert.Contains("faulter: resolved", explorer.Seen);
        Assert.True(CanBeTrapped(explorer, machine), "some state leads to no further deletion");
    }

    [Fact]
    public void A_mirror_SPTE_is_frozen_by_one_thread_only()
    {
        HostProgram install = HostProgram.Named("tdp_mmu_set_spte_atomic")
            .State("S1", CompareExchangeSpte(SpteKind.None, SpteKind.Frozen)).On(Yes, "in").On(No, "done").Sometimes("lost the race")
            .State("in", Increment("inside", 2)).On(Yes, "alone").On(No, "alone")
            .State("alone", Test("inside", 2)).On(Yes, "out").Sometimes("both inside").On(No, "out")
            .State("out", Decrement("inside", 2)).On(Yes, "S3").On(No, "S3")
            .State("S3", WriteSpte(SpteKind.Present)).Next("read")
            .State("read", ReadSpte()).On(IsPresent, "drop").Otherwise("drop")
            .State("drop", WriteSpte(SpteKind.None)).Next("done").Progress("installed")
            .Build();
        TinyExplorer<HostThread> explorer = Explore(
            new HostAgent("one", install) { Gpas = [0] }, new HostAgent("other", install) { Lp = 1, Gpas = [0] });

        Assert.Contains("lost the race", explorer.Seen);
        Assert.Contains("one: installed", explorer.Seen);
        Assert.DoesNotContain("both inside", explorer.Seen);
    }

    [Fact]
    public void A_fault_retries_if_an_invalidation_covers_its_GPA_or_any_ended_since_its_snapshot()
    {
        HostProgram invalidate = HostProgram.Named("kvm_mmu_notifier_invalidate_range")
            .State("begin", InvalidateBegin).Next("end")
            .State("end", InvalidateEnd).Next("done")
            .Build();
        HostProgram fault = HostProgram.Named("kvm_tdp_mmu_page_fault")
            .State("F3", SnapshotInvalidateSeq).Next("F11")
            .State("F11", InvalidateRetry).On(Yes, "done").Sometimes("retry").On(No, "done").Sometimes("go on")
            .Build();

        Assert.Equal(["go on", "retry"], Cases(invalidate, fault, gpa: 0));
        Assert.Equal(["go on", "retry"], Cases(invalidate, fault, gpa: 1));
        Assert.Equal(3, Explore(new HostAgent("invalidator", invalidate) { Gpas = [0], Repeat = 1 }, new HostAgent("faulter", fault) { Lp = 1, Gpas = [0], Repeat = 1 })
            .PathTo("retry").Count);
    }

    [Fact]
    public void A_vCPU_that_moves_is_flushed_on_its_old_processor_although_a_guest_runs_there()
    {
        HostProgram flush = HostProgram.Named("tdx_flush_vp_on_cpu")
            .State("L2", SmpCallBegin).On(Yes, "X2").On(No, "done")
            .State("X2", Seamcall(HostLeaf.TDH_VP_FLUSH)).On(Success, "X3").Sometimes("flushed").Otherwise("bug")
            .State("X3", VcpuCpuIsNone).Next("end")
            .State("end", SmpCallEnd).Next("enter")
            .State("enter", Seamcall(HostLeaf.TDH_VP_ENTER)).EntryIsProgress().Whatever("done")
            .State("bug", BugVm("tdh_vp_flush")).Next("end")
            .Build();
        var machine = new HostMachine(new Configuration("migration")
        {
            Td = new TdLayout { Vcpus = 2, Gpas = GpaLayout.Many(1, GpaStart.Mapped) },
            Guests = [GuestCode.Leaves, GuestCode.Spins],
            Agents =
            [
                HostAgent.OfVcpu(0, flush) with { Lp = 2, StartsOn = 1, Repeat = 1 },
                HostAgent.OfVcpu(1, SmallPrograms.EnterWithMode),
            ],
            Prepare = (port, pages) => MoveVcpu0(port, pages),
        });
        TinyExplorer<HostThread> explorer = Explored(machine);

        Assert.Contains("flushed", explorer.Seen);
        Assert.Contains("vCPU 0: entered the guest", explorer.Seen);
        Assert.Contains("kicked out of the guest", explorer.Seen);
        Assert.DoesNotContain("the host never bugs the VM", explorer.Seen);
        Assert.Equal(0, explorer.Deadlocks);
    }

    // vCPU 0 was initialised on LP 0; it is brought to LP 1.
    private static void MoveVcpu0(ModelPort<CellState> port, TdPages pages)
    {
        var registers = new RegisterFile { Rax = (ulong)HostLeaf.TDH_VP_FLUSH, Rcx = pages.Address(TdPages.Tdvpr(0)) };
        port.Seamcall(0, ref registers);
        Assert.Equal(Status.TDX_SUCCESS, registers.Rax);
        registers = new RegisterFile { Rax = (ulong)HostLeaf.TDH_VP_ENTER, Rcx = pages.Address(TdPages.Tdvpr(0)) };
        port.Seamcall(1, ref registers);
    }

    private static bool[] Granted(ulong queue) => [.. Enumerable.Range(0, 4).Select(agent => LockQueue.IsGranted(queue, agent))];

    private static string[] Cases(HostProgram invalidate, HostProgram fault, int gpa) =>
    [
        .. Explore(new HostAgent("invalidator", invalidate) { Gpas = [0], Repeat = 1 }, new HostAgent("faulter", fault) { Lp = 1, Gpas = [gpa], Repeat = 1 })
            .Seen.Order(StringComparer.Ordinal),
    ];

    // A deleter that waits while the reader can do nothing but test again and again.
    private static bool CanBeTrapped(TinyExplorer<HostThread> explorer, HostMachine machine)
    {
        for (int number = 0; number < explorer.States; number++)
        {
            ISystemState<HostThread> state = explorer[number];
            if (machine.StateOf(state.Local(0))!.Name == "C3" && state.Local(0).Part == 1 && machine.StateOf(state.Local(1))!.Name == "V4")
                return true;
        }

        return false;
    }

    private static HostMachine Machine(params HostAgent[] agents) =>
        new(new Configuration("kernel") { Td = new TdLayout { Gpas = GpaLayout.Many(2, GpaStart.Free) }, Agents = [.. agents] });

    private static TinyExplorer<HostThread> Explore(params HostAgent[] agents) => Explored(Machine(agents));

    private static TinyExplorer<HostThread> Explored(HostMachine machine)
    {
        var explorer = new TinyExplorer<HostThread>(machine);
        Assert.True(explorer.Explore(200_000));
        return explorer;
    }
}
