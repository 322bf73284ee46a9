using System.Text.Json;
using Xunit;

namespace TdxVerify.Tests.Cli;

/// <summary><c>proposals</c>, <c>proposals show</c> and <c>proposals field</c>.</summary>
public sealed class ProposalsCommandTests
{
    [Fact]
    public void Json_has_verdict_properties_bounds_configurations_and_a_counterexample()
    {
        CliRun run = CliRun.Of("proposals", "--only", "upstream-6.19", "--configuration", "huge-page-split-with-interrupts", "--json");
        using JsonDocument document = JsonDocument.Parse(run.Out);
        JsonElement proposal = document.RootElement.GetProperty("proposals")[0];

        Assert.Equal((1, ""), (run.Status, run.Error));
        Assert.Equal(
            ["name", "profile", "verdict", "bugFree", "tlbSafe", "mirrorAgrees", "livelockFree", "starvationFree", "guestCannotBug", "bounds", "configurations", "counterexample"],
            proposal.EnumerateObject().Select(property => property.Name));
        Assert.Equal(("unsafe", false), (proposal.GetProperty("verdict").GetString(), proposal.GetProperty("bugFree").GetBoolean()));
        Assert.Equal(
            ("bugFree", "host program"),
            (proposal.GetProperty("counterexample").GetProperty("property").GetString(), proposal.GetProperty("counterexample").GetProperty("cause").GetString()));
        Assert.True(proposal.GetProperty("configurations")[0].GetProperty("complete").GetBoolean());
    }

    [Fact]
    public void The_table_has_a_row_for_each_proposal_and_a_line_for_each_refuted_cell()
    {
        CliRun run = CliRun.Of("proposals", "--only", "kick-first", "frozen-local-retry", "--configuration", "attributes-against-zap");

        Assert.Equal(1, run.Status);
        Assert.Matches(@"\nkick-first +✓ +✓ +✓ +✓ +✓ +✓ +0 +1 +0 +~ +1/1", run.Out);
        Assert.Matches(@"\nfrozen-local-retry +✗ +✓", run.Out);
        Assert.Contains("not BUG-free: attributes-against-zap", run.Out, StringComparison.Ordinal);
        Assert.Contains("2 proposals: 1 safe, 1 unsafe, 0 undecided", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Show_tells_the_claim_and_a_run_with_its_cause()
    {
        CliRun run = CliRun.Of("proposals", "show", "frozen-local-retry", "--configuration", "attributes-against-zap");

        Assert.Equal(1, run.Status);
        Assert.Contains("claim      Without TDH.VP.ENTER on an unresolved fault KVM never triggers zero-step", run.Out, StringComparison.Ordinal);
        Assert.Contains("not BUG-free", run.Out, StringComparison.Ordinal);
        Assert.Contains("Cause: host program; upstream-6.19 has no fault here on the same module.", run.Out, StringComparison.Ordinal);
        Assert.Contains("✗ KVM_BUG_ON", run.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mermaid", "sequenceDiagram")]
    [InlineData("svg", "<svg")]
    public void The_runs_are_drawn(string format, string expected)
    {
        CliRun run = CliRun.Of("proposals", "show", "frozen-local-retry", "--configuration", "attributes-against-zap", "--format", format);

        Assert.Equal((1, ""), (run.Status, run.Error));
        Assert.Contains(expected, run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Programs_tell_what_a_path_of_the_host_consists_of()
    {
        CliRun run = CliRun.Of("proposals", "programs", "upstream-6.19");

        Assert.Equal((0, ""), (run.Status, run.Error));
        Assert.Matches(@"\n  PunchHole +kvm_gmem_punch_hole, tdp_mmu_zap_leafs, tdx_sept_remove_private_spte,\n +tdh_do_no_vcpus\(TDH.MEM.RANGE.BLOCK\)", run.Out);
    }

    [Fact]
    public void A_program_is_told_state_by_state()
    {
        CliRun run = CliRun.Of("proposals", "programs", "upstream-6.19", "tdx_sept_remove_private_spte");

        Assert.Equal((0, ""), (run.Status, run.Error));
        Assert.Matches(@"\n  D4 +tdh_do_no_vcpus\(TDH.MEM.TRACK\) \(tdx_track\)\n +TDX_SUCCESS -> D4 kick\n +otherwise -> D4 bug\n", run.Out);
        Assert.Matches(@"\n  D4 kick +kvm_make_all_cpus_request\(KVM_REQ_OUTSIDE_GUEST_MODE\) \(tdx_track\) -> D5\n", run.Out);
    }

    [Theory]
    [InlineData("mermaid", "stateDiagram-v2")]
    [InlineData("dot", "digraph")]
    public void A_program_is_drawn(string format, string expected)
    {
        CliRun run = CliRun.Of("proposals", "programs", "kick-first", "vcpu_enter_guest", "--format", format);

        Assert.Equal((0, ""), (run.Status, run.Error));
        Assert.StartsWith(expected, run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_bug_of_the_field_is_found_and_its_fix_holds()
    {
        CliRun run = CliRun.Of("proposals", "field", "12");

        Assert.Equal((0, ""), (run.Status, run.Error));
        Assert.Matches(@"✓  12  bad_create_against_finalize +law broken +13  host program\n", run.Out);
        Assert.Matches(@"✓  12  good_create_and_finalize_under_all_locks +holds +\.", run.Out);
        Assert.Contains("KVM_BUG_ON", run.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--only: there is no proposal 'kick-frist', did you mean 'kick-first'?", "proposals", "--only", "kick-frist")]
    [InlineData("--configuration: there is no 'fault-and-zip', did you mean 'fault-and-zap'?", "proposals", "--configuration", "fault-and-zip")]
    [InlineData("--workers: 0 is too few", "proposals", "--workers", "0")]
    [InlineData("show: there is no proposal 'x'", "proposals", "show", "x")]
    [InlineData("upstream-6.19 has no program 'vcpu_rum', did you mean 'vcpu_run'?", "proposals", "programs", "upstream-6.19", "vcpu_rum")]
    [InlineData("--format dot draws one program; name it", "proposals", "programs", "retry-16", "--format", "dot")]
    [InlineData("--format: there is no format 'png'", "proposals", "show", "retry-16", "--format", "png")]
    [InlineData("--format svg: there is nothing to draw", "proposals", "show", "kick-first", "--configuration", "fault", "--format", "svg")]
    [InlineData("there is no case 'bad_accept_bug_aug', did you mean bad_accept_bugs_aug?", "proposals", "field", "bad_accept_bug_aug")]
    [InlineData("unknown command 'shew', did you mean 'show'?", "proposals", "shew")]
    public void A_mistake_is_one_line_and_status_2(string expected, params string[] arguments)
    {
        CliRun run = CliRun.Of(arguments);

        Assert.Equal((2, ""), (run.Status, run.Out));
        Assert.StartsWith($"tdxverify: {expected}", run.Error, StringComparison.Ordinal);
        Assert.Equal(1, run.Error.Count(letter => letter == '\n'));
    }
}
