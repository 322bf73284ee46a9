using System.Text.Json;
using Xunit;

namespace TdxVerify.Tests.Cli;

/// <summary><c>proposals locks</c>, from the command line to the exit status.</summary>
public sealed class ProposalsLocksTests
{
    [Fact]
    public void The_table_has_the_locks_what_is_left_and_what_is_excluded()
    {
        CliRun run = CliRun.Of("proposals", "locks", "upstream-6.19");

        Assert.Equal((0, ""), (run.Status, run.Error));
        Assert.Contains("own vcpu->mutex, mmu_lock read, frozen SPTE, srcu", run.Out, StringComparison.Ordinal);
        Assert.Contains("✗ TDH.VP.INIT version 1 BUSY(TDR) before FINALIZE, in tdx_td_vcpu_init", run.Out, StringComparison.Ordinal);
        Assert.Contains("BUSY(TD_EPOCH) by wait_for_sept_zap", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void The_document_names_calls_by_number()
    {
        CliRun run = CliRun.Of("proposals", "locks", "kick-first", "--json");

        using JsonDocument json = JsonDocument.Parse(run.Out);
        int calls = json.RootElement.GetProperty("calls").GetArrayLength();
        JsonElement[] overlaps = [.. json.RootElement.GetProperty("overlaps").EnumerateArray()];
        Assert.Equal("kick-first", json.RootElement.GetProperty("name").GetString());
        Assert.NotEmpty(overlaps);
        Assert.All(overlaps, overlap => Assert.True(overlap.GetProperty("busy").GetInt32() < calls && overlap.GetProperty("because").GetInt32() < calls));
        Assert.All(overlaps, overlap => Assert.NotEqual(overlap.GetProperty("canOccur").GetBoolean(), overlap.GetProperty("excludedBy").GetArrayLength() > 0));
    }

    [Fact]
    public void The_findings_of_a_baseline_are_shown_as_lanes()
    {
        CliRun run = CliRun.Of("proposals", "locks", "upstream-6.16", "--findings");

        Assert.Equal((1, ""), (run.Status, run.Error));
        Assert.Contains("✗ KVM_BUG_ON(TDH.VP.INIT failed)", run.Out, StringComparison.Ordinal);
        Assert.Contains("TDX_VCPU_ASSOCIATED", run.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("upstream-6.18", "there is no proposal 'upstream-6.18', did you mean 'upstream-6.1")]
    [InlineData("kick-first --findings", "they are about the baselines, upstream-6.16 and upstream-6.19, not about kick-first")]
    [InlineData("kick-first --format svg", "--format: there is no format 'svg' here; it is table, markdown or json")]
    public void What_cannot_be_is_said_in_one_line(string arguments, string message)
    {
        CliRun run = CliRun.Of(["proposals", "locks", .. arguments.Split(' ')]);

        Assert.Equal((2, ""), (run.Status, run.Out));
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
    }
}
