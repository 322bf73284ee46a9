using System.Numerics;
using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Histories;
using TdxVerify.Tests.Traces;
using Xunit;

namespace TdxVerify.Tests.Histories;

/// <summary>The search, which leaves most interleavings out, finds an explanation if and only if trying all of them does.</summary>
public sealed class ExhaustiveSearchTests
{
    private const int Histories = 24;

    [Theory]
    [InlineData("concurrent-build")]
    [InlineData("concurrent-guest")]
    [InlineData("concurrent-large-pages")]
    [InlineData("concurrent-mem")]
    [InlineData("concurrent-one-page")]
    [InlineData("concurrent-teardown")]
    [InlineData("concurrent-zero-step")]
    public void What_the_search_finds_is_what_all_interleavings_have(string name)
    {
        TraceFile trace = Recordings.Load(name);
        LeafSet<BranchingState> leaves = LeafSet<BranchingState>.Of(trace.Header.Platform.Profile);
        var search = new HistorySearch(trace.Header.Platform, leaves);
        var all = new AllInterleavings(trace.Header.Platform, leaves);
        var random = new Random(name.Length);
        int explained = 0;
        int unexplained = 0;
        for (int i = 0; i < Histories; i++)
        {
            TraceEvent[] events = FirstCalls(trace.Sequences[i % trace.Sequences.Count].Events, most: 2 + (i % 6), without: i);
            if (i >= trace.Sequences.Count)
                Alter(events, random);
            search.Clear();
            search.Add(events);
            if (all.Explain(events) is not { } expected)
                continue;
            bool found = search.IsExplained(Effort.Thorough, out _);
            Assert.Equal((i, expected), (i, found));
            _ = found ? explained++ : unexplained++;
        }

        Assert.True(explained > 1 && unexplained > 1, $"{explained} explained, {unexplained} not: one of the cases hardly occurs");
    }

    // The preparation and some calls of two processors: what the calls of the others did is missing, so that some answers
    // have an explanation and some have none.
    private static TraceEvent[] FirstCalls(TraceEvent[] events, int most, int without)
    {
        int start = Array.FindIndex(events, e => e.Kind == TraceEventKind.Begin);
        var kept = new List<TraceEvent>(events[..start]);
        int calls = 0;
        foreach (TraceEvent e in events[start..])
        {
            bool isOfCall = e.Kind is TraceEventKind.Begin or TraceEventKind.End;
            if ((isOfCall && e.Lp % 2 == without % 2) || (e.Kind == TraceEventKind.GuestResult && kept[^1].Kind != TraceEventKind.End))
                continue;
            if (e.Kind == TraceEventKind.Seamcall)
                break;
            calls += e.Kind == TraceEventKind.Begin ? 1 : 0;
            if (calls > most)
                break;
            kept.Add(e);
        }

        return [.. kept];
    }

    // A success becomes the refusal of a lock that its leaf does take, and everything else a success.
    private static void Alter(TraceEvent[] events, Random random)
    {
        int[] ends = [.. Enumerable.Range(0, events.Length).Where(e => events[e].Kind == TraceEventKind.End)];
        ref TraceEvent end = ref events[ends[random.Next(ends.Length)]];
        end.Answer(end.Input with { Rax = end.Output.Rax == 0 ? Status.TDX_OPERAND_BUSY + (uint)OperandId.SEPT_TREE : 0 });
    }

    // No reduction: every call in flight is tried at every step, and only configurations that were met before are left out.
    private sealed class AllInterleavings(PlatformInfo platform, LeafSet<BranchingState> leaves)
    {
        private const int MostConfigurations = 20_000;

        private readonly HashSet<(UInt128, Cursor)> _seen = [];
        private readonly History _history = new(leaves);
        private readonly Configuration _configuration = new(platform, leaves);

        // Null: there are too many.
        public bool? Explain(TraceEvent[] events)
        {
            _history.Clear();
            _configuration.Clear();
            _seen.Clear();
            _history.Add(events);
            var playback = new Playback(_configuration, _history) { Cut = events.Length, Known = events.Length };
            playback.Cursor = default;
            bool found = Go(playback);
            return found || _seen.Count < MostConfigurations ? found : null;
        }

        private bool Go(Playback playback)
        {
            while (!playback.IsDone && playback.TryNext(out int e))
            {
                switch (_history[e].Kind)
                {
                    case TraceEventKind.Begin:
                        playback.Begin(e);
                        break;
                    case TraceEventKind.Seamcall when !_configuration.IsInFlight(_history[e].Lp):
                        playback.Begin(e);
                        continue;
                    case TraceEventKind.Seamcall or TraceEventKind.End:
                        if (_configuration.Agent(_history[e].Lp).Answer != _history[e].Output)
                            return false;
                        _configuration.End(_history[e].Lp);
                        break;
                    default:
                        if (!playback.Carry(e, out _))
                            return false;
                        break;
                }

                playback.Pass(e);
            }

            if (playback.IsDone)
                return true;
            if (!_configuration.IsAlone && (_seen.Count >= MostConfigurations || !_seen.Add((_configuration.Hash(), playback.Cursor))))
                return false;
            Configuration.Point point = _configuration.Save();
            Cursor cursor = playback.Cursor;
            for (int rest = _configuration.Movable; rest != 0; rest &= rest - 1)
            {
                playback.Step(BitOperations.TrailingZeroCount(rest));
                if (Go(playback))
                    return true;
                _configuration.Restore(point);
                playback.Cursor = cursor;
            }

            _configuration.Forget(point);
            return false;
        }
    }
}
