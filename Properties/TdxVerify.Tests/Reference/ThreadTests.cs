using System.Diagnostics;
using TdxVerify.Abi;
using Xunit;

namespace TdxVerify.Tests.Reference;

/// <summary>Calls from one thread for each logical processor.</summary>
public sealed class ThreadTests
{
    private const int Rounds = 20_000;
    private const int Threads = 4;
    private const string Success = "TDX_SUCCESS";

    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(1);
    private volatile bool _hasMet;

    // Each thread has its own GPAs: AUG against REMOVE of one GPA may halt the module, as it does the real one.
    [Fact]
    public void Threads_on_one_TD_get_only_justified_answers_and_leave_every_lock_free()
    {
        using var host = new ReferenceHost();
        ReferenceTd td = host.Run(vcpus: 1);
        for (ulong i = 0; i < Threads; i++)
            td.SeptAdd(0x200000 * (i + 1), SeptLevel.Page2M);
        var pages = new ulong[Threads];
        for (int i = 0; i < Threads; i++)
            pages[i] = host.Page();

        var answers = new Dictionary<string, int>[Threads];
        var threads = new Thread[Threads];
        var time = Stopwatch.StartNew();
        for (int i = 0; i < Threads; i++)
        {
            int lp = i;
            threads[i] = new Thread(() => answers[lp] = Hammer(host, td, lp, pages[lp], time));
            threads[i].Start();
        }

        foreach (Thread thread in threads)
            thread.Join();

        Assert.All(answers, each => Assert.All(each.Keys, name => Assert.Contains(name, s_justified)));
        Assert.All(answers, each => Assert.True(each[Success] > Rounds / 100, "almost nothing succeeded"));
        Assert.Contains(answers, each => each.Keys.Any(IsBusy));
        AssertAllFree(host, td, pages);
    }

    private static readonly string[] s_justified =
    [
        Success,
        "TDX_OPERAND_BUSY(SEPT_TREE)", "TDX_OPERAND_BUSY(TD_EPOCH)", "TDX_OPERAND_BUSY(TDR)",
        "TDX_PREVIOUS_TLB_EPOCH_BUSY", "TDX_TLB_TRACKING_NOT_DONE(RCX)", "TDX_GPA_RANGE_NOT_BLOCKED(RCX)",
        "TDX_GPA_RANGE_ALREADY_BLOCKED(RCX)", "TDX_EPT_ENTRY_STATE_INCORRECT(RCX)",
    ];

    // One thread runs the vCPU; the others add, block, track and remove a page of their own. On a busy machine the
    // threads may take turns for long, one of them with its vCPU in the guest, so they go on until two of them have met
    // and each had its share of successes.
    private Dictionary<string, int> Hammer(ReferenceHost host, ReferenceTd td, int lp, ulong page, Stopwatch time)
    {
        var answers = new Dictionary<string, int>();
        ulong gpa = 0x200000 * ((ulong)lp + 1);
        for (int round = 0; round < Rounds || (!IsDone(answers) && time.Elapsed < s_patience); round++)
        {
            if (round >= Rounds)
                Thread.Yield();
            HostLeaf leaf = (round % 4) switch
            {
                0 => HostLeaf.TDH_MEM_PAGE_AUG,
                1 => HostLeaf.TDH_MEM_RANGE_BLOCK,
                2 => HostLeaf.TDH_MEM_TRACK,
                _ => HostLeaf.TDH_MEM_PAGE_REMOVE,
            };
            bool enters = lp == td.Lp();
            var registers = enters
                ? new RegisterFile { Rcx = td.Tdvpr() }
                : leaf == HostLeaf.TDH_MEM_TRACK
                    ? new RegisterFile { Rax = (ulong)leaf, Rcx = td.Tdr }
                    : new RegisterFile { Rax = (ulong)leaf, Rcx = gpa, Rdx = td.Tdr, R8 = page };
            PortResult result = host.Port.Seamcall(lp, ref registers);
            string answer = result != PortResult.Ok ? result.ToString()
                : enters && registers.Rax == Guest.VmcallExit ? Success
                : new StatusCode(registers.Rax).Name;
            answers[answer] = answers.GetValueOrDefault(answer) + 1;
            if (IsBusy(answer))
                _hasMet = true;
        }

        answers.TryAdd(Success, 0);
        return answers;
    }

    private bool IsDone(Dictionary<string, int> answers) => _hasMet && answers.GetValueOrDefault(Success) > Rounds / 100;

    private static bool IsBusy(string answer) => answer.Contains("BUSY(", StringComparison.Ordinal);

    private static void AssertAllFree(ReferenceHost host, ReferenceTd td, ulong[] pages)
    {
        foreach (PortLock which in new[] { PortLock.OpState, PortLock.SeptTree, PortLock.Epoch, PortLock.Tdr })
            Assert.True(host.Lock(which, td.Tdr), $"{which} is still held");
        host.Unlock(PortLock.Tdr, td.Tdr);
        foreach (ulong page in td.Children.Concat(pages))
        {
            Assert.True(host.Lock(PortLock.Pamt, page), $"page 0x{page:x} is still locked");
            host.Unlock(PortLock.Pamt, page);
        }

        for (ulong i = 0; i < Threads; i++)
            Assert.True(host.Lock(PortLock.SeptEntry, td.Tdr, argument2: 0x200000 * (i + 1)), "an entry is still locked");
    }
}
