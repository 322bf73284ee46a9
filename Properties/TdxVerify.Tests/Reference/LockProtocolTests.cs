using TdxVerify.Abi;
using Xunit;

namespace TdxVerify.Tests.Reference;

/// <summary>The lock protocols of facts/lock-types.csv, seen from outside.</summary>
public sealed class LockProtocolTests
{
    private const ulong Gpa = 0x3000;
    private const string TreeBusy = "TDX_OPERAND_BUSY(SEPT_TREE)";
    private const string EntryBusy = "TDX_OPERAND_BUSY(RCX)";

    [Fact]
    public void A_refused_reader_of_a_plain_lock_stays_counted_until_the_exclusive_release()
    {
        using var host = new ReferenceHost();
        ReferenceTd td = host.Run();
        td.Aug(Gpa);

        Assert.True(host.Lock(PortLock.SeptTree, td.Tdr));
        Assert.False(host.Lock(PortLock.SeptTree, td.Tdr, exclusive: false));
        Assert.Equal(TreeBusy, td.Block(Gpa).Name);
        host.Unlock(PortLock.SeptTree, td.Tdr);

        // The release zeroed the word, stray reader included: exclusive can be had again.
        Assert.Equal("TDX_SUCCESS", td.Block(Gpa).Name);
    }

    [Fact]
    public void A_page_added_where_the_entry_is_locked_halts_the_module()
    {
        using var host = new ReferenceHost();
        ReferenceTd td = host.Initialise();
        for (int level = 3; level > 0; level--)
            td.SeptAdd(0, level);
        Assert.True(host.Lock(PortLock.SeptEntry, td.Tdr, argument2: Gpa));

        // TDR exclusive stands for the entry's lock, so the module takes none and expects none.
        var add = new RegisterFile { Rax = (ulong)HostLeaf.TDH_MEM_PAGE_ADD, Rcx = Gpa, Rdx = td.Tdr, R8 = host.Page(), R9 = 0x1000 };
        Assert.Equal(PortResult.Died, host.Port.Seamcall(0, ref add));
        var track = new RegisterFile { Rax = (ulong)HostLeaf.TDH_MEM_TRACK, Rcx = td.Tdr };
        Assert.Equal(PortResult.Died, host.Port.Seamcall(1, ref track));
        host.Reset();
        Assert.Equal(PortResult.Ok, host.Port.Seamcall(1, ref track));
    }

    [Fact]
    public void An_entry_unlocked_after_its_table_was_removed_halts_the_module()
    {
        using var host = new ReferenceHost();
        ReferenceTd td = host.Initialise();
        for (int level = 3; level > 1; level--)
            td.SeptAdd(0, level);
        var entry = new LockOperation(PortLock.SeptEntry, true, false, td.Tdr, 1);
        Assert.Equal(PortResult.Ok, host.Port.Lock(entry));

        // A holder of the entry also holds the tree shared, which would refuse this; held alone, the entry goes.
        ulong table = host.Succeed(HostLeaf.TDH_MEM_SEPT_REMOVE, 2, td.Tdr).Rcx;
        host.Succeed(HostLeaf.TDH_MEM_SEPT_ADD, 2, td.Tdr, table);
        Assert.Equal(PortResult.Died, host.Port.Unlock(entry));
    }

    [Fact]
    public void Readers_and_an_exclusive_holder_of_a_plain_lock_exclude_each_other()
    {
        using var host = new ReferenceHost();
        ReferenceTd td = host.Run();
        td.Aug(Gpa);

        Assert.True(host.Lock(PortLock.SeptTree, td.Tdr, exclusive: false));
        Assert.True(host.Lock(PortLock.SeptTree, td.Tdr, exclusive: false));
        Assert.Equal(TreeBusy, td.Block(Gpa).Name);
        Assert.Equal(2UL, td.SeptState(Gpa));
        host.Unlock(PortLock.SeptTree, td.Tdr, exclusive: false);
        Assert.Equal(TreeBusy, td.Block(Gpa).Name);
        host.Unlock(PortLock.SeptTree, td.Tdr, exclusive: false);
        Assert.Equal("TDX_SUCCESS", td.Block(Gpa).Name);
    }

    [Fact]
    public void A_refused_host_keeps_guests_from_a_lock_until_a_host_gets_it()
    {
        using var host = new ReferenceHost();
        ReferenceTd td = host.Run();

        Assert.True(host.Lock(PortLock.OpState, td.Tdr));
        Assert.Equal("TDX_OPERAND_BUSY(OP_STATE)", td.Track().Name);
        host.Unlock(PortLock.OpState, td.Tdr);

        Assert.False(host.Lock(PortLock.OpState, td.Tdr, exclusive: false, guest: true));
        Assert.False(host.Lock(PortLock.OpState, td.Tdr, exclusive: true, guest: true));
        Assert.Equal("TDX_SUCCESS", td.Track().Name);
        Assert.True(host.Lock(PortLock.OpState, td.Tdr, exclusive: false, guest: true));
    }

    [Fact]
    public void A_refused_guest_raises_no_host_priority()
    {
        using var host = new ReferenceHost();
        ReferenceTd td = host.Run();

        Assert.True(host.Lock(PortLock.OpState, td.Tdr));
        Assert.False(host.Lock(PortLock.OpState, td.Tdr, exclusive: false, guest: true));
        host.Unlock(PortLock.OpState, td.Tdr);
        Assert.True(host.Lock(PortLock.OpState, td.Tdr, exclusive: true, guest: true));
    }

    [Fact]
    public void A_large_page_cannot_be_taken_while_a_small_one_below_it_is_locked()
    {
        using var host = new ReferenceHost();
        ReferenceTd td = host.Run();
        ulong large = host.LargePage();
        RegisterFile Aug() => host.Call(HostLeaf.TDH_MEM_PAGE_AUG, 0x200001, td.Tdr, large);

        Assert.True(host.Lock(PortLock.Pamt, large + Hpa.PageSize, exclusive: false));
        Assert.Equal("TDX_OPERAND_BUSY(R8)", new StatusCode(Aug().Rax).Name);
        host.Unlock(PortLock.Pamt, large + Hpa.PageSize, exclusive: false);
        Assert.Equal("TDX_SUCCESS", new StatusCode(Aug().Rax).Name);
    }

    [Fact]
    public void Host_priority_on_an_entry_refuses_ACCEPT_until_a_host_call_locks_the_entry()
    {
        using var host = new ReferenceHost();
        ReferenceTd td = host.Run();
        td.Aug(Gpa);

        Assert.True(host.Lock(PortLock.SeptEntry, td.Tdr, argument2: Gpa));
        Assert.Equal(EntryBusy, td.Block(Gpa).Name);
        host.Unlock(PortLock.SeptEntry, td.Tdr, argument2: Gpa);

        Assert.Equal(EntryBusy, td.Tdcall(GuestLeaf.TDG_MEM_PAGE_ACCEPT, Gpa).Name);
        Assert.Equal(EntryBusy, td.Tdcall(GuestLeaf.TDG_MEM_PAGE_ATTR_RD, Gpa).Name);
        Assert.Equal(2UL, td.SeptState(Gpa));
        Assert.Equal("TDX_SUCCESS", td.Tdcall(GuestLeaf.TDG_MEM_PAGE_ACCEPT, Gpa).Name);
    }

    [Fact]
    public void The_guest_lock_of_an_entry_is_respected_by_the_host_and_reported_with_the_entry()
    {
        using var host = new ReferenceHost();
        ReferenceTd td = host.Run();
        ulong page = td.Aug(Gpa);

        Assert.True(host.Lock(PortLock.SeptEntry, td.Tdr, guest: true, argument2: Gpa));
        RegisterFile refused = host.Call(HostLeaf.TDH_MEM_RANGE_BLOCK, Gpa, td.Tdr);
        Assert.Equal(EntryBusy, new StatusCode(refused.Rax).Name);
        Assert.Equal(0x8000_0000_0000_00F0 | page, refused.Rcx);
        Assert.Equal(0x200UL, refused.Rdx);
    }
}
