using TdxVerify.Abi;
using TdxVerify.Host;
using TdxVerify.Host.Kvm;
using TdxVerify.Host.Proposals;
using TdxVerify.Model;
using Xunit;

namespace TdxVerify.Tests.Host.Kvm;

/// <summary>Each of KVM's paths alone, in both releases: it comes to its end, and S-EPT and mirror are as it says.</summary>
public sealed class KvmPathTests
{
    private static readonly TdLayout s_building = new() { Vcpus = 2, InitialisedVcpus = 1, IsFinalized = false };

    public static TheoryData<KvmRelease> Releases => [KvmRelease.V6_16, KvmRelease.V6_19];

    [Theory]
    [MemberData(nameof(Releases))]
    public void A_guest_that_accepts_its_page_gets_it(KvmRelease release)
    {
        HostWalk walk = Walk(release, HostPath.RunVcpu, new TdLayout(), role => role with { Gpas = [] }, Guests.Accepts(0));

        Assert.True(walk.Run(0, "thread: accepted its page"));
        Assert.Empty(walk.Broken);
        Assert.Equal(SeptState.MAPPED, walk.EntryOf(0, SeptLevel.Page4K));
        Assert.True(walk.SpteOf(0, SeptLevel.Page4K) >= MirrorSpte.FirstPresent);
    }

    [Theory]
    [MemberData(nameof(Releases))]
    public void A_missing_table_is_added_first(KvmRelease release)
    {
        HostWalk walk = Walk(release, HostPath.RunVcpu, With(new GpaLayout { HasTable = false }), role => role with { Gpas = [] }, Guests.Accepts(0));

        Assert.True(walk.Run(0, "thread: accepted its page"));
        Assert.Equal(SeptState.NL_MAPPED, walk.EntryOf(0, SeptLevel.Page2M));
        Assert.True(walk.SpteOf(0, SeptLevel.Page2M) >= MirrorSpte.FirstPresent);
    }

    [Theory]
    [InlineData(KvmRelease.V6_16, HostPath.PunchHole)]
    [InlineData(KvmRelease.V6_19, HostPath.PunchHole)]
    [InlineData(KvmRelease.V6_16, HostPath.ConvertToShared)]
    [InlineData(KvmRelease.V6_19, HostPath.ConvertToShared)]
    [InlineData(KvmRelease.V6_16, HostPath.DeleteMemslot)]
    [InlineData(KvmRelease.V6_19, HostPath.DeleteMemslot)]
    public void A_zap_leaves_neither_page_nor_mirror(KvmRelease release, HostPath path)
    {
        HostWalk walk = Walk(release, path, With(new GpaLayout { Start = GpaStart.Mapped }));

        Assert.Equal(SeptState.MAPPED, walk.EntryOf(0, SeptLevel.Page4K));
        Ends(walk, SeptState.FREE, MirrorSpte.None);
    }

    [Theory]
    [MemberData(nameof(Releases))]
    public void The_mmu_notifier_takes_no_private_page(KvmRelease release)
    {
        HostWalk walk = Walk(release, HostPath.MmuNotifier, With(new GpaLayout { Start = GpaStart.Mapped }));
        ulong spte = walk.SpteOf(0, SeptLevel.Page4K);

        Ends(walk, SeptState.MAPPED, spte);
    }

    [Theory]
    [MemberData(nameof(Releases))]
    public void A_prefaulted_page_is_pending(KvmRelease release)
    {
        HostWalk walk = Walk(release, HostPath.Prefault, new TdLayout());

        Assert.True(walk.Run(0));
        Assert.Equal(SeptState.PENDING, walk.EntryOf(0, SeptLevel.Page4K));
        Assert.True(walk.SpteOf(0, SeptLevel.Page4K) >= MirrorSpte.FirstPresent);
    }

    [Theory]
    [MemberData(nameof(Releases))]
    public void A_page_added_before_the_TD_runs_is_mapped(KvmRelease release)
    {
        HostWalk walk = Walk(release, HostPath.InitMemRegion, s_building);

        Assert.True(walk.Run(0));
        Assert.Empty(walk.Broken);
        Assert.Equal(SeptState.MAPPED, walk.EntryOf(0, SeptLevel.Page4K));
        Assert.True(walk.SpteOf(0, SeptLevel.Page4K) >= MirrorSpte.FirstPresent);
    }

    [Theory]
    [MemberData(nameof(Releases))]
    public void A_vCPU_is_created_and_initialised(KvmRelease release)
    {
        HostWalk walk = Walk(release, HostPath.InitVcpu, s_building, role => role with { Vcpu = 1 });

        Assert.True(walk.Run(0));
        Assert.Empty(walk.Broken);
        Assert.Equal((ulong)VcpuState.VCPU_READY, walk.Read(Cell.Vcpu(TdPages.Tdvpr(1), VcpuField.State)));
    }

    [Theory]
    [MemberData(nameof(Releases))]
    public void A_finalized_TD_is_runnable(KvmRelease release)
    {
        HostWalk walk = Walk(release, HostPath.FinalizeVm, s_building);

        Assert.True(walk.Run(0));
        Assert.Equal((ulong)OpState.RUNNABLE, walk.Read(Cell.Td(TdPages.Tdr, TdField.OpState)));
    }

    [Theory]
    [MemberData(nameof(Releases))]
    public void A_vCPU_whose_processor_goes_offline_is_flushed(KvmRelease release)
    {
        HostWalk walk = Walk(release, HostPath.OfflineProcessor, new TdLayout(), role => role with { Lp = 1 });

        Assert.True(walk.Run(0));
        Assert.Equal(0UL, walk.Read(Cell.Td(TdPages.Tdr, TdField.AssociatedVcpus)));
    }

    [Theory]
    [MemberData(nameof(Releases))]
    public void A_migrating_vCPU_runs_on(KvmRelease release)
    {
        HostWalk walk = Walk(release, HostPath.RunMigratingVcpu, new TdLayout(), role => role with { Gpas = [] }, Guests.Accepts(0));

        Assert.True(walk.Run(0, "thread: accepted its page"));
    }

    [Theory]
    [MemberData(nameof(Releases))]
    public void A_destroyed_VM_gives_all_pages_back(KvmRelease release)
    {
        HostWalk walk = Walk(release, HostPath.DestroyVm, With(new GpaLayout { Start = GpaStart.Mapped }));

        Assert.True(walk.Run(0));
        Assert.Empty(walk.Broken);
        Assert.DoesNotContain("pages of a destroyed VM are leaked", walk.Reported);
        int[] pages = [TdPages.Tdr, TdPages.FirstTdcs, TdPages.Tdvpr(0), TdPages.Tdvpr(0) + 1];
        Assert.All(pages, page => Assert.Equal((ulong)PageType.PT_NDA, walk.Read(Cell.Pamt(new PamtRef(0, page), PamtField.Type))));
    }

    [Fact]
    public void A_split_page_is_a_table_of_small_pages()
    {
        HostWalk walk = Walk(KvmRelease.V6_19, HostPath.SplitHugePage, With(new GpaLayout { Level = SeptLevel.Page2M, Start = GpaStart.Pending }));

        Assert.True(walk.Run(0));
        Assert.Empty(walk.Broken);
        Assert.Equal(SeptState.NL_MAPPED, walk.EntryOf(0, SeptLevel.Page2M));
        Assert.Equal(SeptState.PENDING, walk.EntryOf(0, SeptLevel.Page4K));
    }

    private static TdLayout With(GpaLayout gpa) => new() { Gpas = [gpa] };

    private static HostWalk Walk(KvmRelease release, HostPath path, TdLayout td, Func<HostRole, HostRole>? role = null, GuestCode? guest = null)
    {
        var thread = new HostRole("thread", path) { Vcpu = 0, Gpas = [0], Repeat = 1 };
        var standard = new StandardConfiguration(path.ToString(), "")
        {
            Td = td with { SeptVeDisable = false },
            Roles = [role?.Invoke(thread) ?? thread],
            Guests = guest is null ? [] : [guest],
            Laws = HostLaws.NoHostBug,
        };
        return new HostWalk(standard.With(release.Name(), KvmHost.Of(new KvmParts { Release = release })));
    }

    private static void Ends(HostWalk walk, SeptState entry, ulong spte)
    {
        Assert.True(walk.Run(0));
        Assert.Empty(walk.Broken);
        Assert.Equal(entry, walk.EntryOf(0, SeptLevel.Page4K));
        Assert.Equal(spte, walk.SpteOf(0, SeptLevel.Page4K));
    }
}
