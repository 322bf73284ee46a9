using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Campaigns;
using TdxVerify.Properties.Laws;
using TdxVerify.Properties.Runs;
using Xunit;

namespace TdxVerify.Tests.Props;

/// <summary>
/// What is left of a random sequence that meets a planted fault: the few calls that a person would write. A TD takes
/// 10 events (creation, key, six TDCS pages, TD_PARAMS, initialisation), a vCPU 7 more.
/// </summary>
public class ShrunkFaultTests
{
    // One more than what a person would write: a step that is not needed may be in the way of its own removal.
    private const int Slack = 1;

    [Theory]
    [InlineData("TDH.MNG.KEY.FREEID", "KOT entry = HKID_FREE", 6)] // creation, key, VPFLUSHDONE, CACHE.WB, FREEID, creation
    [InlineData("TDH.PHYMEM.PAGE.RECLAIM", "child count is 0", 7)] // the same with a TDCS page, and the reclaim
    [InlineData("TDH.MEM.SEPT.REMOVE", "child count -1", 13)] // TD; an S-EPT page added, removed; the count read
    [InlineData("TDH.MEM.RANGE.UNBLOCK", "S-EPT tree EXCLUSIVE", 14)] // TD; an S-EPT page, block, the lock, unblock
    [InlineData("TDH.MEM.PAGE.AUG", "child count +", 14)] // TD; two S-EPT pages, a 2 MiB page, the count read
    [InlineData("TDH.MEM.PAGE.RELOCATE", "RCX = old HPA", 15)] // TD; three S-EPT pages, a page, its relocation
    [InlineData("TDH.VP.FLUSH", "associated vCPUs -1", 19)] // TD, vCPU; flush, VPFLUSHDONE
    [InlineData("TDH.VP.ENTER", "OP_STATE SHARED", 21)] // TD, vCPU, finalize; the lock, the entry
    [InlineData("TDH.MEM.TRACK", "REFCOUNT of the previous", 21)] // TD, vCPU, finalize; the entry, two TRACKs
    [InlineData("TDH.MEM.RANGE.BLOCK", "BEPOCH of the page", 23)] // TD, vCPU, finalize; two S-EPT pages, a 2 MiB page, block, remove
    [InlineData("TDH.VP.ENTER", "if the list of faulting GPAs", 28)] // TD, vCPU, finalize; the access, seven entries, the lock, the entry
    public void Of_a_fault_is_left_what_shows_it(string leaf, string step, int most)
    {
        using PropsWorker worker = Worker(leaf, step);
        long round = 0;
        FoundFailure? found = worker.Run(() => round++, () => round > 100);
        Assert.NotNull(found);
        Assert.True(found.Events.Count <= most + Slack, $"{found.Events.Count} events instead of {most}; {found.Failure.Call}: {found.Failure.Reason}");
        Assert.Equal(worker.Runner.Model.Platform.PageBase, found.Events[0].Event.Input.Rcx);

        string folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            string file = Path.Combine(folder, "failure.jsonl");
            FailureFile.Write(file, worker.Runner, "a faulty model", found.Events);
            IReadOnlyList<PlannedEvent> saved = FailureFile.Plan(Assert.Single(TraceFile.Load(file).Sequences));
            Assert.Equal(found.Failure.Reason, PlanRunner.Run(worker.Runner, saved)?.Reason);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void The_calls_of_a_shrink_are_no_calls_of_the_run()
    {
        using PropsWorker worker = Worker("TDH.MNG.KEY.FREEID", "KOT entry = HKID_FREE");
        long round = 0;
        FoundFailure? found = worker.Run(() => round++, () => round > 100);
        Assert.NotNull(found);
        Assert.InRange(worker.Runner.Sequences, 1, 8 * round);
    }

    private static PropsWorker Worker(string leafName, string text)
    {
        var platform = new PlatformInfo();
        LeafSet<ArraysState> declared = LeafSet<ArraysState>.Of(platform.Profile);
        Leaf<ArraysState> leaf = declared.All.Single(leaf => leaf.Id.Name == leafName);
        Step<ArraysState> step = leaf.Steps.Single(step => step.Text.Contains(text, StringComparison.Ordinal));
        LeafSet<ArraysState> faulty = declared.With(leaf.With(leaf.Steps.Remove(step)));
        return new PropsWorker(new PropsOptions
        {
            Platform = platform,
            OpenPort = () => new ModelPort<ArraysState>(new ArraysState(platform), faulty),
            Laws = [LawBook.Conformance],
            Seed = 1,
            ShrinkTime = TimeSpan.FromMinutes(2),
        });
    }
}
