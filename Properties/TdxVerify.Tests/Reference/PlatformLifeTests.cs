using TdxVerify.Abi;
using TdxVerify.Reference;
using Xunit;

namespace TdxVerify.Tests.Reference;

/// <summary>Several TDs, their teardown, and what Reset brings back.</summary>
public sealed class PlatformLifeTests
{
    private const ulong Gpa = 0x3000;

    [Fact]
    public void Two_TDs_use_the_same_GPA_and_neither_can_take_a_page_of_the_other()
    {
        using var host = new ReferenceHost();
        ReferenceTd first = host.Run();
        ReferenceTd second = host.Run();
        ulong page = first.Aug(Gpa);
        RegisterFile refused = host.Call(HostLeaf.TDH_MEM_PAGE_AUG, Gpa, second.Tdr, page);
        Assert.Equal("TDX_PAGE_METADATA_INCORRECT(R8)", new StatusCode(refused.Rax).Name);
        second.Aug(Gpa);
        first.Block(Gpa);
        Assert.Equal(3UL, first.SeptState(Gpa));
        Assert.Equal(2UL, second.SeptState(Gpa));
    }

    [Fact]
    public void Teardown_returns_every_page_and_the_key()
    {
        using var host = new ReferenceHost();
        ReferenceTd td = host.Run(vcpus: 2);
        td.Aug(Gpa);
        RegisterFile refused = host.Call(HostLeaf.TDH_MNG_CREATE, host.Page(), (ulong)host.Platform.HkidFirst);
        Assert.Equal("TDX_HKID_NOT_FREE", new StatusCode(refused.Rax).Name);
        td.TearDown();
        Assert.All(td.Children.Append(td.Tdr), page =>
            Assert.Equal(0UL, host.Succeed(HostLeaf.TDH_PHYMEM_PAGE_RDMD, page).Rcx));
        host.Succeed(HostLeaf.TDH_MNG_CREATE, host.Page(), (ulong)host.Platform.HkidFirst);
    }

    [Fact]
    public void A_vCPU_does_not_go_on_with_what_a_former_one_in_the_same_TDVPR_page_had_to_do()
    {
        using var host = new ReferenceHost();
        ReferenceTd former = host.Run();
        ulong tdvpr = former.Tdvpr();
        Assert.Equal(Guest.EptViolationExit, former.Enter(Guest.Access(Gpa)).Rax);
        former.TearDown();

        ReferenceTd td = host.Initialise();
        td.AddVcpu(lp: 1, tdvpr);
        host.Succeed(HostLeaf.TDH_MR_FINALIZE, td.Tdr);
        Assert.Equal(PortResult.Invalid, host.Port.GuestResult(tdvpr, out _));
        Assert.Equal(Guest.VmcallExit, td.Enter().Rax);
    }

    [Fact]
    public void After_Reset_the_same_calls_get_the_same_answers()
    {
        using var host = new ReferenceHost();
        List<RegisterFile> Play()
        {
            var answers = new List<RegisterFile>();
            ReferenceTd td = host.Run();
            td.Aug(Gpa);
            td.Aug2M(0x200000);
            answers.Add(host.Call(HostLeaf.TDH_MEM_PAGE_REMOVE, Gpa, td.Tdr));
            answers.Add(td.Enter(Guest.Access(Gpa)));
            Assert.True(host.Lock(PortLock.SeptTree, td.Tdr));
            Assert.True(host.Lock(PortLock.Pamt, host.Page()));
            answers.Add(host.Call(HostLeaf.TDH_MEM_RANGE_BLOCK, Gpa, td.Tdr));
            td.BeginEnter();
            host.Port.Interrupt(true);
            return answers;
        }

        List<RegisterFile> first = Play();
        for (int i = 0; i < 3; i++)
        {
            host.Reset();
            Assert.Equal(first, Play());
        }
    }

    [Fact]
    public void After_Reset_memory_is_zero_and_every_page_unassigned_and_unlocked()
    {
        using var host = new ReferenceHost();
        ReferenceTd td = host.Run();
        td.Aug2M(0x200000);
        ulong written = host.Page();
        Assert.Equal(PortResult.Ok, host.Port.MemoryWrite(written, new byte[] { 1, 2, 3 }));
        host.Lock(PortLock.Pamt, written);
        host.Reset();

        var content = new byte[3];
        Assert.Equal(PortResult.Ok, host.Port.MemoryRead(written, content));
        Assert.Equal(new byte[3], content);
        for (ulong page = host.Platform.PageBase; page < host.Platform.PageEnd; page += Hpa.PageSize)
        {
            Assert.Equal(default, host.Succeed(HostLeaf.TDH_PHYMEM_PAGE_RDMD, page));
            Assert.True(host.Lock(PortLock.Pamt, page));
            host.Unlock(PortLock.Pamt, page);
        }
    }

    [Fact]
    public void Assigned_pages_cannot_be_written_and_read_as_zero()
    {
        using var host = new ReferenceHost();
        ReferenceTd td = host.Run();
        Assert.Equal(PortResult.Invalid, host.Port.MemoryWrite(td.Tdr, new byte[] { 0xFF }));
        byte[] content = [0xFF];
        Assert.Equal(PortResult.Ok, host.Port.MemoryRead(td.Tdr, content));
        Assert.Equal(0, content[0]);
    }

    [Fact]
    public void What_is_not_modelled_is_refused_with_the_registers_as_they_were()
    {
        using var host = new ReferenceHost();
        ReferenceTd td = host.Run();
        var registers = new RegisterFile { Rax = (ulong)HostLeaf.TDH_MEM_RD, Rcx = Gpa, Rdx = td.Tdr, R8 = 7 };
        RegisterFile inputs = registers;
        Assert.Equal(PortResult.NotSupported, host.Port.Seamcall(0, ref registers));
        Assert.Equal(inputs, registers);
        Assert.Equal(
            PortResult.NotSupported,
            host.Port.GuestSubmit(td.Tdvpr(), Guest.Tdcall(GuestLeaf.TDG_MR_REPORT, 0)));
    }

    [Fact]
    public void A_choice_point_fails_once()
    {
        using var host = new ReferenceHost();
        host.Port.FailNext(ChoicePoint.NoEntropy);
        ulong tdr = host.Page();
        ulong hkid = (ulong)host.Platform.HkidFirst;
        Assert.Equal("TDX_RND_NO_ENTROPY", new StatusCode(host.Call(HostLeaf.TDH_MNG_CREATE, tdr, hkid).Rax).Name);
        host.Succeed(HostLeaf.TDH_MNG_CREATE, tdr, hkid);
    }

    [Theory]
    [InlineData(0, 6, "lps is 0")]
    [InlineData(4, 3, "tdcsPages is 3")]
    public void A_platform_that_cannot_be_simulated_is_named(int lps, int tdcsPages, string reason)
    {
        var platform = new PlatformInfo { LpCount = lps, TdcsPages = tdcsPages };
        Assert.Contains(reason, Assert.Throws<ArgumentException>(() => new ReferencePort(platform)).Message, StringComparison.Ordinal);
    }
}
