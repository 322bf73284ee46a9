using TdxVerify.Abi;
using Xunit;

namespace TdxVerify.Tests.Reference;

/// <summary>TLB tracking (facts/epoch.md).</summary>
public sealed class EpochTrackingTests
{
    private const ulong Gpa = 0x4000;
    private const ulong TdEpoch = 0x9210000300000000;

    [Fact]
    public void The_worked_sequence_of_the_facts()
    {
        using var host = new ReferenceHost();
        ReferenceTd td = host.Run();
        td.Aug(Gpa);
        ulong epoch = td.Read(TdEpoch);

        td.BeginEnter();
        Assert.Equal("TDX_SUCCESS", td.Block(Gpa).Name);
        Assert.Equal("TDX_TLB_TRACKING_NOT_DONE(RCX)", td.Remove(Gpa).Name);

        Assert.Equal("TDX_SUCCESS", td.Track().Name);
        Assert.Equal(epoch + 1, td.Read(TdEpoch));
        Assert.Equal("TDX_TLB_TRACKING_NOT_DONE(RCX)", td.Remove(Gpa).Name);
        Assert.Equal("TDX_PREVIOUS_TLB_EPOCH_BUSY", td.Track().Name);

        td.EndEnter();
        td.BeginEnter();
        Assert.Equal("TDX_SUCCESS", td.Remove(Gpa).Name);
        Assert.Equal("TDX_SUCCESS", td.Track().Name);
    }

    [Fact]
    public void Without_a_track_after_the_block_nothing_is_tracked_even_if_no_vcpu_ever_ran()
    {
        using var host = new ReferenceHost();
        ReferenceTd td = host.Run();
        td.Aug(Gpa);
        td.Block(Gpa);
        Assert.Equal("TDX_TLB_TRACKING_NOT_DONE(RCX)", td.Remove(Gpa).Name);
        td.Track();
        Assert.Equal("TDX_SUCCESS", td.Remove(Gpa).Name);
    }

    [Fact]
    public void An_unblock_and_a_second_block_lose_the_tracking()
    {
        using var host = new ReferenceHost();
        ReferenceTd td = host.Run();
        td.Aug(Gpa);
        td.Block(Gpa);
        td.Track();
        Assert.Equal("TDX_SUCCESS", td.Unblock(Gpa).Name);
        td.Block(Gpa);
        Assert.Equal("TDX_TLB_TRACKING_NOT_DONE(RCX)", td.Remove(Gpa).Name);
    }

    [Theory]
    [InlineData(ModuleProfile.V1_5_01, "TDX_TLB_TRACKING_NOT_DONE(SEPT_TREE)")]
    [InlineData(ModuleProfile.V1_5_05, "TDX_TLB_TRACKING_NOT_DONE(RCX)")]
    public void UNBLOCK_names_another_operand_in_each_profile(ModuleProfile profile, string status)
    {
        using var host = new ReferenceHost(profile);
        ReferenceTd td = host.Run();
        td.Aug(Gpa);
        td.Block(Gpa);
        Assert.Equal(status, td.Unblock(Gpa).Name);
    }

    [Fact]
    public void A_TD_under_construction_removes_pages_without_block_or_track()
    {
        using var host = new ReferenceHost();
        ReferenceTd td = host.Initialise();
        for (int level = SeptLevel.Pml4; level > SeptLevel.Page4K; level--)
            td.SeptAdd(0, level);
        td.Aug(Gpa);
        Assert.Equal("TDX_SUCCESS", td.Remove(Gpa).Name);
    }
}
