using TdxVerify.Abi;
using Xunit;

namespace TdxVerify.Tests.Reference;

/// <summary>The zero-step mitigation (facts/zerostep.md).</summary>
public sealed class ZeroStepTests
{
    private const ulong Gpa = 0x5000;
    private const ulong Rip = 0x7000;

    // Exits 1 to 6 are counted, exit 7 is listed: the entry after it is the first to look.
    private const int RealExits = 7;

    [Fact]
    public void The_eighth_entry_at_one_RIP_is_the_first_to_need_the_tree_lock()
    {
        using var host = new ReferenceHost();
        ReferenceTd td = host.Run();
        td.Submit(Guest.Access(Gpa, Rip));
        Assert.True(host.Lock(PortLock.SeptTree, td.Tdr, exclusive: false));
        for (int entry = 1; entry <= RealExits; entry++)
            Assert.Equal(Guest.EptViolationExit, td.Enter().Rax);
        Assert.Equal("TDX_OPERAND_BUSY(SEPT_TREE)", new StatusCode(td.Enter().Rax).Name);
    }

    [Fact]
    public void A_listed_page_that_is_missing_gives_an_emulated_exit_that_looks_like_a_write()
    {
        using var host = new ReferenceHost();
        ReferenceTd td = host.Run();
        RegisterFile real = td.Enter(Guest.Access(Gpa + 0x18, Rip));
        for (int entry = 2; entry <= RealExits; entry++)
            Assert.Equal(real, td.Enter());

        var inputs = new RegisterFile { Rcx = td.Tdvpr(), Rbx = 1, Rbp = 2, Rdx = 3, R15 = 4 };
        Assert.Equal(PortResult.Ok, host.Port.Seamcall(td.Lp(), ref inputs));
        Assert.Equal(new RegisterFile { Rax = Guest.EptViolationExit, Rcx = 2, R8 = Gpa, Rbp = 2 }, inputs);
        Assert.Equal(1UL, real.Rcx);
    }

    [Fact]
    public void Mapping_the_page_lets_the_vcpu_run_and_the_next_RIP_forgets_the_list()
    {
        using var host = new ReferenceHost();
        ReferenceTd td = host.Run(vcpus: 2);
        td.Submit(Guest.Access(Gpa, Rip));
        for (int entry = 1; entry <= RealExits; entry++)
            td.Enter();
        td.Aug(Gpa);
        Assert.Equal("TDX_SUCCESS", td.Tdcall(GuestLeaf.TDG_MEM_PAGE_ACCEPT, Gpa, vcpu: 1).Name);

        Assert.Equal(Guest.VmcallExit, td.Enter().Rax);
        Assert.True(td.Result().Completed);
        Assert.True(host.Lock(PortLock.SeptTree, td.Tdr, exclusive: false));
        Assert.Equal(Guest.VmcallExit, td.Enter().Rax);
    }

    [Fact]
    public void A_listed_page_that_is_only_pending_traps_the_vcpu_for_ever()
    {
        using var host = new ReferenceHost();
        ReferenceTd td = host.Run();
        td.Submit(Guest.Access(Gpa, Rip));
        for (int entry = 1; entry <= RealExits; entry++)
            td.Enter();
        td.Aug(Gpa);

        // The vCPU would accept the page, but it does not run.
        for (int entry = 0; entry < 4; entry++)
            Assert.Equal(Guest.EptViolationExit, td.Enter(Guest.Accept(Gpa)).Rax);
        Assert.False(td.Result().Completed);
        Assert.Equal(2UL, td.SeptState(Gpa));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Only_faults_at_the_same_RIP_add_up(bool sameRip)
    {
        using var host = new ReferenceHost();
        ReferenceTd td = host.Run();
        Assert.True(host.Lock(PortLock.SeptTree, td.Tdr, exclusive: false));
        for (int entry = 1; entry <= RealExits; entry++)
            Assert.Equal(Guest.EptViolationExit, td.Enter(Guest.Access(Gpa, sameRip ? Rip : Rip + (ulong)entry)).Rax);
        Assert.Equal(sameRip, new StatusCode(td.Enter().Rax).IsError);
    }

    [Fact]
    public void Violations_that_ACCEPT_causes_are_never_counted()
    {
        using var host = new ReferenceHost();
        ReferenceTd td = host.Run();
        td.Submit(Guest.Accept(Gpa));
        Assert.True(host.Lock(PortLock.SeptTree, td.Tdr, exclusive: false));
        for (int entry = 0; entry < 3 * RealExits; entry++)
            Assert.Equal(Guest.EptViolationExit, td.Enter().Rax);
    }
}
