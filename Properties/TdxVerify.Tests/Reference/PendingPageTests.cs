using TdxVerify.Abi;
using Xunit;

namespace TdxVerify.Tests.Reference;

/// <summary>Pages added and not accepted yet (facts/guest.md, facts/zerostep.md).</summary>
public sealed class PendingPageTests
{
    private const ulong Gpa = 0x6000;
    private const ulong LargeGpa = 0x200000;
    private const ulong Pending = 2;
    private const ulong Mapped = 4;

    [Fact]
    public void An_access_to_a_pending_page_gives_VE_or_an_exit_as_the_TD_chose()
    {
        using var host = new ReferenceHost();
        ReferenceTd withVe = host.Run();
        withVe.Aug(Gpa);
        Assert.Equal(Guest.VmcallExit, withVe.Enter(Guest.Access(Gpa)).Rax);
        Assert.True(withVe.Result().VirtualizationException);
        Assert.False(withVe.Result().Completed);

        host.Reset();
        ReferenceTd withoutVe = host.Run(attributes: ReferenceHost.SeptVeDisable);
        withoutVe.Aug(Gpa);
        RegisterFile exit = withoutVe.Enter(Guest.Access(Gpa));
        Assert.Equal(new RegisterFile { Rax = Guest.EptViolationExit, Rcx = 1, Rdx = 6, R8 = Gpa }, exit);
        Assert.False(withoutVe.Result().VirtualizationException);
    }

    [Fact]
    public void An_interrupted_2M_accept_goes_on_from_its_counter()
    {
        using var host = new ReferenceHost();
        ReferenceTd td = host.Run();
        ulong page = td.Aug2M(LargeGpa);
        host.Port.Interrupt(true);
        td.Submit(Guest.Accept(LargeGpa, SeptLevel.Page2M));
        for (ulong chunks = 1; chunks <= 3; chunks++)
        {
            Assert.Equal(Guest.InterruptExit, td.Enter().Rax);
            RegisterFile entry = host.Succeed(HostLeaf.TDH_MEM_SEPT_RD, LargeGpa | SeptLevel.Page2M, td.Tdr);
            Assert.Equal(0x8000_0000_0000_00F0 | page | (chunks << 12), entry.Rcx);
        }

        host.Port.Interrupt(false);
        Assert.Equal(Guest.VmcallExit, td.Enter().Rax);
        Assert.Equal(Mapped, td.SeptState(LargeGpa, SeptLevel.Page2M));
        Assert.True(td.Result().Completed);
    }

    [Fact]
    public void Blocking_a_half_accepted_page_forgets_how_far_it_was()
    {
        using var host = new ReferenceHost();
        ReferenceTd td = host.Run();
        ulong page = td.Aug2M(LargeGpa);
        host.Port.Interrupt(true);
        td.Enter(Guest.Accept(LargeGpa, SeptLevel.Page2M));
        td.Block(LargeGpa, SeptLevel.Page2M);
        td.Track();
        td.Unblock(LargeGpa, SeptLevel.Page2M);
        RegisterFile entry = host.Succeed(HostLeaf.TDH_MEM_SEPT_RD, LargeGpa | SeptLevel.Page2M, td.Tdr);
        Assert.Equal(0x8000_0000_0000_00F0 | page, entry.Rcx);
        Assert.Equal(Pending, entry.Rdx >> 8);
    }

    [Fact]
    public void A_4K_accept_inside_a_larger_pending_page_asks_the_host_to_split_it()
    {
        using var host = new ReferenceHost();
        ReferenceTd td = host.Run();
        td.Aug2M(LargeGpa);
        RegisterFile exit = td.Enter(Guest.Accept(LargeGpa + 0x1000));

        // Type ACCEPT, requested level 0, level 1 found, state PENDING, leaf.
        Assert.Equal(1UL | (1UL << 35) | (Pending << 38) | (1UL << 46), exit.Rdx);

        td.Block(LargeGpa, SeptLevel.Page2M);
        td.Track();
        host.Succeed(HostLeaf.TDH_MEM_PAGE_DEMOTE, LargeGpa | SeptLevel.Page2M, td.Tdr, host.Page());
        Assert.Equal(Guest.VmcallExit, td.Enter().Rax);
        Assert.True(td.Result().Completed);
        Assert.Equal(Mapped, td.SeptState(LargeGpa + 0x1000));
        Assert.Equal(Pending, td.SeptState(LargeGpa + 0x2000));
    }

    [Fact]
    public void An_accepted_page_is_not_accepted_twice()
    {
        using var host = new ReferenceHost();
        ReferenceTd td = host.Run();
        td.Aug(Gpa);
        Assert.Equal(0UL, td.Tdcall(GuestLeaf.TDG_MEM_PAGE_ACCEPT, Gpa).Value);
        Assert.Equal(0x00000B0A00000000UL, td.Tdcall(GuestLeaf.TDG_MEM_PAGE_ACCEPT, Gpa).Value);
    }
}
