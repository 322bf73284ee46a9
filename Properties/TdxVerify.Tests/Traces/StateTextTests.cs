using System.Text.RegularExpressions;
using TdxVerify.Abi;
using TdxVerify.Hardware.Replay;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.State;
using Xunit;

namespace TdxVerify.Tests.Traces;

/// <summary>The state, its changes and its locks as a TDX engineer reads them.</summary>
public sealed class StateTextTests
{
    private static readonly Lazy<string[]> s_told = new(() => [.. Names.SelectMany(Told)]);

    private static string[] Names => ["zero-step", "pages-2m-promote-demote", "pages-1g", "held-locks", "epoch-tracking", "lifecycle", "m1505-lifecycle"];

    // One line of each kind, as it occurs in the recordings.
    [Theory]
    [InlineData(@"^S-EPT 0x[0-9a-f]+ level 0 of TD 0x[0-9a-f]+: FREE -> PENDING page 0x[0-9a-f]+$")]
    [InlineData(@"^S-EPT 0x[0-9a-f]+ level 0 of TD 0x[0-9a-f]+: PENDING -> PENDING_BLOCKED page 0x[0-9a-f]+$")]
    [InlineData(@"^S-EPT 0x[0-9a-f]+ level [12] of TD 0x[0-9a-f]+: FREE -> NL_MAPPED S-EPT page 0x[0-9a-f]+$")]
    [InlineData(@"^S-EPT 0x[0-9a-f]+ to 0x[0-9a-f]+ff000 level 0 of TD 0x[0-9a-f]+: 512 entries FREE -> PENDING pages 0x[0-9a-f]+00000 to 0x[0-9a-f]+ff000$")]
    [InlineData(@"^S-EPT 0x[0-9a-f]+ level \d of TD 0x[0-9a-f]+: MAPPED page 0x[0-9a-f]+ -> FREE$")]
    [InlineData(@"^S-EPT 0x[0-9a-f]+ level \d of TD 0x[0-9a-f]+: \S+, locked -> .*$")]
    [InlineData(@"^PAMT 0x[0-9a-f]+ 4 KiB: PT_NDA -> PT_REG, owner 0x[0-9a-f]+, BEPOCH 0$")]
    [InlineData(@"^PAMT 0x[0-9a-f]+ 4 KiB: PT_REG, BEPOCH \d+ -> \d+$")]
    [InlineData(@"^PAMT 0x[0-9a-f]+ 2 MiB: PT_REG -> PT_NDA$")]
    [InlineData(@"^PAMT 0x[0-9a-f]+00000 to 0x[0-9a-f]+ff000 512 x 4 KiB: PT_NDA -> PT_REG, owner 0x[0-9a-f]+, BEPOCH 0$")]
    [InlineData(@"^PAMT 0x[0-9a-f]+ 4 KiB: PT_TDR, lock free -> free \+ host priority$")]
    [InlineData(@"^TD 0x[0-9a-f]+ is new: HKID \d+$")]
    [InlineData(@"^TD 0x[0-9a-f]+ is gone$")]
    [InlineData(@"^TD 0x[0-9a-f]+: OP_STATE INITIALIZED -> RUNNABLE$")]
    [InlineData(@"^TD 0x[0-9a-f]+: TD_EPOCH 1 -> 2$")]
    [InlineData(@"^TD 0x[0-9a-f]+: S-EPT tree lock free -> exclusive$")]
    [InlineData(@"^TD 0x[0-9a-f]+: S-EPT tree lock exclusive -> exclusive \(1 reader left behind by refused attempts\)$")]
    [InlineData(@"^TD 0x[0-9a-f]+: .*REFCOUNT\[[01]\] 0 -> 1.*$")]
    [InlineData(@"^TD 0x[0-9a-f]+: .*x2APIC id of vCPU \d+ 0x[0-9a-f]+ -> 0x[0-9a-f]+.*$")]
    [InlineData(@"^vCPU 0x[0-9a-f]+ is new: TDVPS pages 1$")]
    [InlineData(@"^vCPU 0x[0-9a-f]+: .*fault counter 5 -> 6.*$")]
    [InlineData(@"^vCPU 0x[0-9a-f]+: .*associated with no LP -> LP \d.*$")]
    [InlineData(@"^LP \d: .*runs no vCPU -> vCPU 0x[0-9a-f]+$")]
    [InlineData(@"^LP \d: INVEPT of TD 0x[0-9a-f]+$")]
    [InlineData(@"^HKID \d+: .*state HKID_ASSIGNED -> HKID_FLUSHED.*$")]
    public void A_change_of_each_kind_is_one_line(string pattern) => Assert.Contains(s_told.Value, line => Regex.IsMatch(line, pattern));

    [Theory]
    [InlineData(0, "free", "free")]
    [InlineData(1, "exclusive", "exclusive")]
    [InlineData(2, "1 reader", "free + host priority")]
    [InlineData(3, "exclusive (1 reader left behind by refused attempts)", "exclusive + host priority")]
    [InlineData(4, "2 readers", "1 reader")]
    [InlineData(7, "exclusive (3 readers left behind by refused attempts)", "exclusive (1 reader left behind by refused attempts) + host priority")]
    public void Lock_words_are_decoded(ulong word, string plain, string hostPriority) =>
        Assert.Equal((plain, hostPriority), (StateText.PlainLockWord(word), StateText.HostPriorityLockWord(word)));

    [Fact]
    public void A_call_that_changes_nothing_has_no_difference()
    {
        ModelPort<ObservedState> port = ModelPorts.Observed(new PlatformInfo { PageCount = 4096 });
        var registers = new RegisterFile { Rax = (ulong)HostLeaf.TDH_MEM_TRACK, Rcx = 0x1_0000_0000 };
        port.Seamcall(0, ref registers);

        Assert.NotEqual(0, port.Machine.State.Journal.Changes.Length);
        Assert.Empty(StateDifference.Lines(port.Machine.State));
    }

    [Fact]
    public void The_state_around_a_call_says_who_holds_each_lock()
    {
        TraceFile trace = Recordings.Load("held-locks");
        var seen = new HashSet<string>();
        foreach (TraceSequence sequence in trace.Sequences)
        {
            ModelPort<ObservedState> port = ModelPorts.Observed(trace.Header.Platform);
            var replayer = new PortReplayer(port);
            foreach (TraceEvent e in sequence.Events)
            {
                foreach (StateLine line in port.HeldLocks.Any() ? StateAround.Lines(port.Machine.State, port.HeldLocks, e) : [])
                    seen.Add(Regex.Replace($"{line.Subject}: {line.Text}", "0x[0-9a-f]+|[0-9]+", "N"));
                replayer.Step(e);
            }
        }

        Assert.Contains(seen, line => line.Contains("OP_STATE lock exclusive (by another host call)", StringComparison.Ordinal));
        Assert.Contains(seen, line => line.Contains("TD epoch lock N reader (by another host call)", StringComparison.Ordinal));
        Assert.Contains(seen, line => line.StartsWith("PAMT N N KiB: PT_TDR, lock N reader (by another", StringComparison.Ordinal));
        Assert.Contains(seen, line => line.Contains(", locked (by another vCPU)", StringComparison.Ordinal));
        Assert.Contains(seen, line => line.Contains("in the guest on LP N; by another host call", StringComparison.Ordinal)
            || line.Contains("by another host call; vCPU N in the guest on LP N", StringComparison.Ordinal));
        Assert.DoesNotContain(seen, line => line.Contains("nobody who still runs", StringComparison.Ordinal));
    }

    private static IEnumerable<string> Told(string name)
    {
        TraceFile trace = Recordings.Load(name);
        ModelPort<ObservedState> port = ModelPorts.Observed(trace.Header.Platform);
        var replayer = new PortReplayer(port);
        foreach (TraceEvent e in trace.Sequences.SelectMany(sequence => sequence.Events))
        {
            port.Machine.State.Journal.Clear();
            Assert.Null(replayer.Step(e));
            foreach (string line in StateDifference.Lines(port.Machine.State))
                yield return line;
        }
    }
}
