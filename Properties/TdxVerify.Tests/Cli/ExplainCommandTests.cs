using System.Text.Json;
using Xunit;

namespace TdxVerify.Tests.Cli;

public sealed class ExplainCommandTests
{
    private const string AugFailed = "SEAMCALL TDH_MEM_PAGE_AUG failed: 0xc0000b0d00000001, rcx 0x80000001f2a3c0f7, rdx 0x400";

    [Fact]
    public void A_status_is_named_and_described()
    {
        CliRun run = CliRun.Of("explain", "0x8000020000000092");

        Assert.Equal((0, ""), (run.Status, run.Error));
        Assert.StartsWith("0x8000020000000092  TDX_OPERAND_BUSY(SEPT_TREE)\n", run.Out, StringComparison.Ordinal);
        Assert.Contains("recoverable error; class resource busy or no entropy; error (bit 63)", run.Out, StringComparison.Ordinal);
        Assert.Contains("  retry    yes: ", run.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(AugFailed)]
    [InlineData("SEAMCALL", "TDH_MEM_PAGE_AUG", "failed:", "0xc0000b0d00000001,", "rcx", "0x80000001f2a3c0f7,", "rdx", "0x400")]
    public void A_line_of_a_log_shows_leaf_and_S_EPT_entry_however_the_shell_split_it(params string[] words)
    {
        CliRun run = CliRun.Of(["explain", .. words]);

        Assert.Contains("TDX_EPT_ENTRY_STATE_INCORRECT(RCX)", run.Out, StringComparison.Ordinal);
        Assert.Contains("TDH.MEM.PAGE.AUG", run.Out, StringComparison.Ordinal);
        Assert.Contains("MAPPED at level 0 (4 KiB), RWX, HPA 0x1f2a3c000", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Zeros_in_RCX_and_RDX_say_that_the_entry_was_not_reached() =>
        Assert.Contains(
            "the call failed before it looked at an entry",
            CliRun.Of("explain", "SEAMCALL TDH_MEM_PAGE_AUG failed: 0x8000020000000080, rcx 0x0, rdx 0x0").Out,
            StringComparison.Ordinal);

    [Fact]
    public void A_log_on_standard_input_is_searched_and_repeats_are_counted()
    {
        CliRun run = CliRun.WithInput($"[1.0] boot\n[2.0] {AugFailed}\n[2.0] {AugFailed}\n".Replace("[2.0] ", "", StringComparison.Ordinal), "explain", "-");

        Assert.Contains("(2 times: lines 2, 3)", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void The_leaf_option_is_for_statuses_whose_line_names_no_leaf()
    {
        Assert.Contains("TDH.MEM.TRACK", CliRun.Of("explain", "0x80000200000000a9", "--leaf", "tdh_mem_track").Out, StringComparison.Ordinal);
        Assert.DoesNotContain("TDH.MEM.TRACK", CliRun.Of("explain", AugFailed, "--leaf", "TDH.MEM.TRACK").Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Json_is_one_document_with_everything_that_the_text_says()
    {
        CliRun run = CliRun.Of("explain", AugFailed, "--json");
        using JsonDocument document = JsonDocument.Parse(run.Out);

        JsonElement status = Assert.Single(document.RootElement.GetProperty("statuses").EnumerateArray());
        Assert.Equal("0xc0000b0d00000001", status.GetProperty("value").GetString());
        Assert.Equal("TDX_EPT_ENTRY_STATE_INCORRECT(RCX)", status.GetProperty("name").GetString());
        Assert.Equal("TDX_EPT_ENTRY_STATE_INCORRECT", status.GetProperty("status").GetString());
        Assert.Equal("no", status.GetProperty("retry").GetString());
        Assert.Equal("TDH.MEM.PAGE.AUG", status.GetProperty("leaf").GetString());
        Assert.Equal("MAPPED", status.GetProperty("septEntry").GetProperty("stateName").GetString());
        Assert.Equal("", run.Error);
    }

    [Fact]
    public void Json_of_several_codes_keeps_their_order()
    {
        using JsonDocument document = JsonDocument.Parse(CliRun.Of("explain", "0x30", "TDX_TD_FATAL", "--json").Out);

        Assert.Equal(
            ["TDX_SUCCESS(exit reason 48)", "TDX_TD_FATAL"],
            document.RootElement.GetProperty("statuses").EnumerateArray().Select(status => status.GetProperty("name").GetString()));
    }
}
