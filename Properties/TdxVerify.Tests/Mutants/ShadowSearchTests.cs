using TdxVerify.Abi;
using TdxVerify.Properties.Mutants;
using TdxVerify.Properties.Sweeps;
using Xunit;

namespace TdxVerify.Tests.Mutants;

/// <summary>A mutant counts as equivalent only where running shows what shadows it: a claim that is false is refused.</summary>
public class ShadowSearchTests
{
    private static readonly ReachedSequence[] s_sequences = MutantBench.Script(Calls);
    private static readonly ShadowSearch s_search = new(new MutantsOptions(), MutantBench.Declared, MutantBench.Mutants);

    [Theory]
    [InlineData("entry is not blocked already", true)]
    [InlineData("S-EPT walk reaches the level", false)]
    public void A_step_shadows_a_mutant_only_if_the_mutant_is_told_without_it(string step, bool isShadow)
    {
        var claim = new ShadowClaim { Leaf = "TDH.MEM.RANGE.BLOCK", Step = "entry state in", Behind = [new StepName("", step)] };
        Shadow? shadow = Check(claim, "TDH.MEM.RANGE.BLOCK", "set with BLOCKED");
        Assert.Equal(isShadow, shadow is not null);
        if (isShadow)
            Assert.Equal($"its step: {step}", shadow!.Rule);
    }

    [Theory]
    [InlineData("KOT entry of the HKID is HKID_FREE", false)]
    [InlineData("RDX: bits 63:16 are 0, HKID is private", true)]
    public void A_step_that_is_claimed_never_to_fail_never_failed(string step, bool isShadow)
    {
        var claim = new ShadowClaim { Leaf = "TDH.MNG.CREATE", Step = step, NeverFails = true, Reason = "nothing uses a key id twice" };
        ReachedSequence[] many = [.. Enumerable.Repeat(s_sequences[0], 10)];
        Shadow? shadow = s_search.Check(claim, MutantBench.Of("TDH.MNG.CREATE", $"check dropped: {step}"), many, Judge());
        Assert.Equal(isShadow, shadow is not null);
    }

    [Theory]
    [InlineData("TDH.VP.ADDCX", "vCPU state is VCPU_UNINITIALIZED / fewer than 15 TDVPS pages", false)]
    [InlineData("TDH.PHYMEM.CACHE.WB", "start: at least one HKID is HKID_FLUSHED / resume", true)]
    public void Two_steps_that_are_claimed_never_to_act_both_never_did(string leaf, string steps, bool isShadow)
    {
        var claim = new ShadowClaim { Leaf = leaf, Step = steps, NeverBoth = true, Reason = "claimed" };
        Assert.Equal(isShadow, Check(claim, leaf, steps) is not null);
    }

    [Fact]
    public void A_release_that_drops_a_lock_is_not_claimed_to_find_none()
    {
        var claim = new ShadowClaim { Leaf = "*", Step = "release dropped", NeverActs = true, Reason = "claimed" };
        Assert.Null(Check(claim, "TDH.VP.ADDCX", "release dropped: TDVPR PAMT 2 MiB entry"));
    }

    [Theory]
    [InlineData("RAX: bits 31:24 and 63:32 are 0 / version is 0", "the other of the two, which fails alike: TDX_OPERAND_INVALID(RAX)")]
    [InlineData("version is 0, or the leaf has versions / leaf has a handler", null)]
    public void Two_checks_that_fail_alike_are_recognised_where_both_failed(string steps, string? shadow) =>
        Assert.Equal(shadow, s_search.Find(MutantBench.Of("SEAMCALL dispatcher", steps), s_sequences, Judge())?.By);

    [Fact]
    public void Two_checks_with_different_failures_do_not_fail_alike() =>
        Assert.Null(s_search.Find(MutantBench.Of("TDH.VP.ADDCX", "vCPU state is VCPU_UNINITIALIZED / fewer than 15 TDVPS pages"), s_sequences, Judge()));

    // Calls with one and with two things wrong, as the claims above need them.
    private static void Calls(SweepRunner run)
    {
        SweepStage stage = SweepStage.Set(run, with1G: false, withMergeable: false);
        run.Call(SweepRunner.Registers(HostLeaf.TDH_MEM_RANGE_BLOCK, SweepStage.SmallGpas[2], stage.Built.Tdr));
        run.Call(SweepRunner.Registers(HostLeaf.TDH_MNG_CREATE, stage.Unassigned, (ulong)run.Platform.HkidFirst));
        run.Call(SweepRunner.Registers(HostLeaf.TDH_VP_ADDCX, stage.Unassigned, stage.Crowded.FullVcpu));
        run.Call(SweepRunner.Registers(HostLeaf.TDH_PHYMEM_CACHE_WB, 1));
        run.Call(SweepRunner.Registers(HostLeaf.TDH_PHYMEM_CACHE_WB));
        run.Must(HostLeaf.TDH_MNG_KEY_FREEID, stage.Blocked);
        run.Must(HostLeaf.TDH_MNG_KEY_FREEID, stage.WrittenBack);
        run.Call(SweepRunner.Registers(HostLeaf.TDH_PHYMEM_CACHE_WB));
        RegisterFile wrong = SweepRunner.Registers(HostLeaf.TDH_MNG_CREATE);
        wrong.Rax |= (1UL << 24) | (1UL << 16);
        run.Call(wrong);
    }

    private static PairJudge Judge() => new(MutantBench.Platform);

    private static Shadow? Check(ShadowClaim claim, string leaf, string fault)
    {
        ReachedSequence[] many = [.. Enumerable.Repeat(s_sequences[0], 10)];
        return s_search.Check(claim, MutantBench.Of(leaf, fault), many, Judge());
    }
}
