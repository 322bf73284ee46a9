using TdxVerify.Abi;
using TdxVerify.Properties.Explain;
using Xunit;

namespace TdxVerify.Tests.Explain;

/// <summary>Where a status comes from, as the declared steps tell.</summary>
public sealed class ModelStatusOriginsTests
{
    private static readonly ModelStatusOrigins s_origins = new();

    [Fact]
    public void Every_modelled_leaf_is_known() =>
        Assert.Equal(LeafNames.ModelledHost.Count + LeafNames.ModelledGuest.Count, s_origins.Leaves.Count);

    [Fact]
    public void A_status_of_one_leaf_names_its_steps_and_registers()
    {
        StatusOrigin origin = Assert.Single(Find("TDX_EPT_WALK_FAILED(RCX)", "TDH.MEM.PAGE.AUG"));

        Assert.Equal(("check", "S-EPT walk reaches the level"), (origin.Kind, origin.Text));
        Assert.Equal("RCX = S-EPT entry, RDX = level and state", origin.Registers);
    }

    [Fact]
    public void A_lock_names_who_can_hold_it_against_the_call()
    {
        StatusOrigin shared = Assert.Single(Find("TDX_OPERAND_BUSY(SEPT_TREE)", "TDH.MEM.PAGE.AUG"));
        StatusOrigin exclusive = Assert.Single(Find("TDX_OPERAND_BUSY(SEPT_TREE)", "TDH.MEM.RANGE.BLOCK"));

        Assert.Equal(
            "S-EPT tree, wanted shared: held exclusive by TDH.VP.ENTER (if a GPA is listed as faulting), TDH.MEM.SEPT.REMOVE, TDH.MEM.RANGE.BLOCK, TDH.MEM.RANGE.UNBLOCK",
            shared.Holders);
        Assert.Contains("held shared by TDH.MEM.SEPT.ADD, TDH.MEM.SEPT.RD, TDH.MEM.PAGE.AUG", exclusive.Holders, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("TDX_OPERAND_BUSY(RCX)", "TDH.MR.FINALIZE")]
    [InlineData("TDX_OPERAND_BUSY(RCX)", "TDH.VP.FLUSH")]
    public void A_running_vCPU_holds_the_PAMT_entries_of_its_pages(string status, string leaf) =>
        Assert.Contains(
            Find(status, leaf),
            origin => origin.Holders.Contains("4 KiB entry, wanted exclusive", StringComparison.Ordinal)
                && origin.Holders.Contains("held shared by a vCPU in the guest", StringComparison.Ordinal));

    [Fact]
    public void A_guest_is_also_held_back_by_host_priority()
    {
        StatusOrigin origin = Find("TDX_OPERAND_BUSY(RCX)", "TDG.MEM.PAGE.ACCEPT").Single(origin => origin.Kind == "lock");

        Assert.Contains("held host by TDH.MEM.SEPT.ADD", origin.Holders, StringComparison.Ordinal);
        Assert.Contains("held back by host priority", origin.Holders, StringComparison.Ordinal);
    }

    [Fact]
    public void Only_the_exclusive_version_of_a_leaf_is_named_as_exclusive_holder()
    {
        StatusOrigin origin = Find("TDX_OPERAND_BUSY(TDR)", "TDH.VP.CREATE").Concat(Find("TDX_OPERAND_BUSY(TDR)", "TDH.VP.RD")).Single();

        Assert.Contains("TDH.VP.INIT (version 1)", origin.Holders, StringComparison.Ordinal);
        Assert.DoesNotContain("TDH.VP.INIT,", origin.Holders, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0xC0000B0B00000001", "TDG.MEM.PAGE.ACCEPT")]
    [InlineData("0x00000B0A00000000", "TDG.MEM.PAGE.ACCEPT")]
    [InlineData("TDX_PAGE_SIZE_MISMATCH", "TDG.MEM.PAGE.ATTR.WR")]
    [InlineData("TDX_X2APIC_ID_NOT_UNIQUE(0x7)", "TDH.VP.INIT (version 1)")]
    [InlineData("0xC00009200000003B", "TDH.VP.INIT")]
    public void Levels_ids_and_MSRs_in_a_status_are_seen_through(string status, string leaf) =>
        Assert.Contains(Find(status, null), origin => origin.Leaf == leaf);

    [Fact]
    public void What_profiles_do_differently_is_said()
    {
        Assert.Contains("(not in module 1.5.05)", Single("TDX_TLB_TRACKING_NOT_DONE(SEPT_TREE)"), StringComparison.Ordinal);
        Assert.Contains("(module 1.5.05 only)", Single("TDX_TLB_TRACKING_NOT_DONE(RCX)"), StringComparison.Ordinal);

        static string Single(string status) => Assert.Single(Find(status, "TDH.MEM.RANGE.UNBLOCK")).Text;
    }

    [Fact]
    public void The_number_of_a_step_that_moved_is_given_for_both_modules()
    {
        StatusOrigin[] moved = [.. Find("TDX_OPERAND_INVALID", "TDH.MNG.INIT").Where(origin => origin.Text.Contains("(step ", StringComparison.Ordinal))];

        Assert.Contains(moved, origin => origin.Text.StartsWith("IA32_ARCH_CAPABILITIES configuration is 0", StringComparison.Ordinal));
    }

    [Fact]
    public void TD_exits_are_found_in_the_guest_leaves_that_cause_them()
    {
        IReadOnlyList<StatusOrigin> origins = Find("0x30", "TDH.VP.ENTER");

        Assert.Contains(origins, origin => origin.Leaf == "TDH.VP.ENTER" && origin.Text.StartsWith("every GPA of that list", StringComparison.Ordinal));
        Assert.Contains(origins, origin => origin.Leaf == "guest memory access");
        Assert.Contains(origins, origin => origin.Leaf == "TDG.MEM.PAGE.ACCEPT");
        Assert.Contains(Find("0x4d", "TDH.VP.ENTER"), origin => origin.Leaf == "TDG.VP.VMCALL");
    }

    [Fact]
    public void The_dispatcher_speaks_for_every_leaf()
    {
        Assert.Contains(Find("TDX_OPERAND_INVALID(RAX)", "TDH.MEM.TRACK"), origin => origin.Leaf == "SEAMCALL dispatcher");
        Assert.Contains(Find("TDX_OPERAND_INVALID(RAX)", "TDG.VP.INFO"), origin => origin.Leaf == "TDCALL dispatcher");
        Assert.Empty(Find("TDX_OPERAND_INVALID(RAX)", "TDH.MEM.RD"));
    }

    private static IReadOnlyList<StatusOrigin> Find(string status, string? leaf)
    {
        Assert.True(StatusParser.TryParse(status, out StatusQuery query, out string problem), problem);
        return s_origins.Find(query, leaf);
    }
}
