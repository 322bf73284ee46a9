using TdxVerify.Abi;
using TdxVerify.Model;
using TdxVerify.Properties.Runs;
using Xunit;
using static TdxVerify.Tests.Laws.FaultyModel;

namespace TdxVerify.Tests.Laws;

/// <summary>Each law about the state catches faulty models by itself, and names the GPA, page, TD, vCPU or LP.</summary>
public class StateLawTests
{
    [Theory]
    [InlineData("TDH.MEM.PAGE.REMOVE", "entry = FREE", "went from PT_REG to PT_NDA while GPA 0x")]
    [InlineData("TDH.MEM.PAGE.REMOVE", "PAMT type = PT_NDA", "any more, but the page is still PT_REG and not PT_NDA")]
    [InlineData("TDH.MEM.PAGE.AUG", "PAMT owner = TDR", "whose PAMT owner is none")]
    [InlineData("TDH.MEM.PAGE.AUG", "new page type is PT_NDA", "is mapped twice: at GPA 0x")]
    [InlineData("TDH.MEM.PAGE.AUG", "all 512 4 KiB entries are PT_NDA", "smaller pages in it are assigned too")]
    [InlineData("TDH.MEM.PAGE.DEMOTE", "large PAMT type = PT_NDA", "any more, but the page is still PT_REG")]
    [InlineData("TDH.MEM.PAGE.RELOCATE", "target PAMT type = PT_REG", "whose PAMT type is PT_NDA, not PT_REG")]
    [InlineData("TDH.MEM.SEPT.ADD", "child count +1", "TDR.CHLDCNT of TD HPA 0x")]
    [InlineData("TDH.MEM.SEPT.REMOVE", "PAMT type = PT_NDA", "but the page is still PT_EPT and not PT_NDA")]
    [InlineData("TDH.MNG.ADDCX", "TDCS page count +1", "pages of type PT_TDCX and PT_TDVPR")]
    [InlineData("TDH.MNG.CREATE", "PAMT type = PT_TDR", "the PAMT type of its TDR page is PT_NDA")]
    public void S_EPT_and_PAMT_that_disagree_are_noticed(string leaf, string step, string message) =>
        Assert.Contains(message, Complaint("sept-and-pamt-agree", leaf, step, Fault.Dropped), StringComparison.Ordinal);

    [Theory]
    [InlineData("TDH.MEM.PAGE.REMOVE", "tracked since BEPOCH", "(PT_REG) of TD HPA 0x")]
    [InlineData("TDH.MEM.SEPT.REMOVE", "tracked since BEPOCH", "(PT_EPT) of TD HPA 0x")]
    [InlineData("TDH.VP.ENTER", "sample differs from the vCPU epoch: INVEPT", "without INVEPT")]
    [InlineData("TDH.VP.FLUSH", "INVEPT", "no INVEPT")]
    public void A_translation_that_outlives_its_page_is_noticed(string leaf, string step, string message) =>
        Assert.Contains(message, Complaint("no-stale-translation", leaf, step, Fault.Dropped), StringComparison.Ordinal);

    [Theory]
    [InlineData("TD exit", "REFCOUNT", "REFCOUNT of TD HPA 0x")]
    [InlineData("TDH.VP.ENTER", "REFCOUNT[sample & 1] +1", "vCPUs are in the guest since an even epoch")]
    [InlineData("TDH.VP.ENTER", "vCPU epoch = sample", "was entered with vCPU epoch")]
    [InlineData("TDH.MEM.TRACK", "REFCOUNT of the previous epoch is 0", "is in the guest on LP")]
    [InlineData("TDH.MEM.TRACK", "TD_EPOCH +1", "TDH.MEM.TRACK succeeded, and TD_EPOCH")]
    [InlineData("TDH.MEM.RANGE.BLOCK", "BEPOCH of the page = epoch", "was blocked in epoch")]
    [InlineData("TDH.MEM.PAGE.AUG", "BEPOCH = 0", "became PT_REG by TDH.MEM.PAGE.AUG with BEPOCH")]
    [InlineData("TDH.MNG.INIT", "TD_EPOCH = 1", "was initialised, and TD_EPOCH is 0, not 1")]
    public void Epochs_and_reference_counts_that_are_wrong_are_noticed(string leaf, string step, string message) =>
        Assert.Contains(message, Complaint("epoch-reference-counts", leaf, step, Fault.Dropped), StringComparison.Ordinal);

    [Theory]
    [InlineData("TDH.MEM.PAGE.REMOVE", "the entry is blocked", "it was never blocked")]
    [InlineData("TDH.MEM.RANGE.UNBLOCK", "tracked since BEPOCH", "TDH.MEM.RANGE.UNBLOCK changed GPA 0x")]
    [InlineData("TDH.MEM.PAGE.DEMOTE", "tracked since BEPOCH", "TDH.MEM.PAGE.DEMOTE changed GPA 0x")]
    [InlineData("TDH.MEM.TRACK", "REFCOUNT of the previous epoch is 0", "since before the TDH.MEM.TRACK that followed the block")]
    [InlineData("TD exit", "REFCOUNT", "was blocked, tracked, and left by every older vCPU")]
    public void A_change_without_tracking_and_a_refusal_after_it_are_noticed(string leaf, string step, string message) =>
        Assert.Contains(message, Complaint("tlb-tracking", leaf, step, Fault.Dropped), StringComparison.Ordinal);

    [Fact]
    public void A_page_that_is_visible_without_accept_is_noticed() =>
        Assert.Contains(
            "neither added while the TD was built nor accepted", ComplaintOfAugThatMaps("guest-sees-only-accepted"), StringComparison.Ordinal);

    [Fact]
    public void An_accept_that_accepts_nothing_is_noticed() =>
        Assert.Contains(
            "returned TDX_SUCCESS, and the S-EPT entry at level",
            Complaint("guest-sees-only-accepted", "TDG.MEM.PAGE.ACCEPT", "entry = MAPPED", Fault.Dropped), StringComparison.Ordinal);

    [Fact]
    public void A_re_added_page_that_is_visible_without_a_new_accept_is_noticed() =>
        Assert.Contains(
            "its page was removed before, and the one mapped there since was not accepted", ComplaintOfAugThatMaps("re-added-needs-accept"),
            StringComparison.Ordinal);

    [Theory]
    [InlineData("TDH.PHYMEM.PAGE.RECLAIM", "lifecycle is TD_TEARDOWN", "was reclaimed while the lifecycle is")]
    [InlineData("TDH.PHYMEM.PAGE.RECLAIM", "a TDR: child count is 0", "and its TD still owns")]
    [InlineData("TDH.MNG.VPFLUSHDONE", "KOT write-back bitmap = all packages", "no TDH.PHYMEM.CACHE.WB that began after TDH.MNG.VPFLUSHDONE")]
    [InlineData("TDH.MNG.KEY.FREEID", "KOT entry = HKID_FREE", "succeeded, and its HKID")]
    [InlineData("TDH.MNG.CREATE", "KOT entry of the HKID is HKID_FREE", "still has")]
    [InlineData("TDH.VP.FLUSH", "associated vCPUs -1", "associated vCPUs; ")]
    [InlineData("TDH.VP.ADDCX", "new TDCX page type is PT_NDA", "is in use as")]
    public void A_teardown_out_of_order_or_incomplete_is_noticed(string leaf, string step, string message) =>
        Assert.Contains(message, Complaint("teardown-returns-everything", leaf, step, Fault.Dropped), StringComparison.Ordinal);

    [Theory]
    [InlineData("TDH.MEM.RANGE.BLOCK", "it is held exclusively, and nobody holds it", "S-EPT tree")]
    [InlineData("TDH.MEM.SEPT.RD", "it counts 1 readers; 0 hold it shared", "OP_STATE")]
    [InlineData("TDH.MEM.RANGE.BLOCK", "is still taken after the call", "S-EPT entry")]
    [InlineData("TD exit", "it counts 1 readers; 0 hold it shared", "TDVPR PAMT 4 KiB entry")]
    [InlineData("TDH.MNG.CREATE", "KotLock is 0x1 after the call", "KOT")]
    public void A_lock_that_outlives_its_call_is_noticed(string leaf, string message, string released) =>
        Assert.Contains(message, ComplaintOfKept(leaf, released), StringComparison.Ordinal);

    // The release step of a lock, not the step that takes it.
    private static string ComplaintOfKept(string name, string released)
    {
        RunFailure? failure = Run(
            "no-lock-outlives-its-call", new PlatformInfo(),
            set =>
            {
                Leaf<ObservedState> leaf = set.All.Single(l => l.Id.Name == name);
                Step<ObservedState> step = leaf.Steps.First(s => s.Kind == StepKind.Release && s.Text == released);
                return set.With(leaf.With(leaf.Steps.Remove(step)));
            },
            sequences: 20);
        Assert.NotNull(failure);
        return failure.Reason;
    }

    private static string ComplaintOfAugThatMaps(string law)
    {
        RunFailure? failure = Run(
            law, new PlatformInfo(),
            set =>
            {
                Leaf<ObservedState> aug = set.All.Single(l => l.Id.Name == "TDH.MEM.PAGE.AUG");
                int pending = aug.Steps.ToList().FindIndex(s => s.Text.StartsWith("entry = PENDING", StringComparison.Ordinal));
                Step<ObservedState> step = aug.Steps[pending] with { Text = "entry = MAPPED", Action = MapWithoutAccept };
                return set.With(aug.With(aug.Steps.Insert(pending + 1, step)));
            },
            sequences: 20);
        Assert.NotNull(failure);
        return failure.Reason;
    }

    private static void MapWithoutAccept(ref ObservedState s, ref Call c, int argument) =>
        s.SetEntry(c.Entry, s.Entry(c.Entry).With(SeptState.MAPPED));
}
