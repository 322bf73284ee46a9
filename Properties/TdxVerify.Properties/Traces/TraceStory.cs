using TdxVerify.Abi;
using TdxVerify.Hardware.Replay;
using TdxVerify.Hardware.Trace;

namespace TdxVerify.Properties.Traces;

/// <summary>An event of a trace as a person reads it.</summary>
/// <param name="Line">The line of the file.</param>
/// <param name="Text">What is asked or done.</param>
/// <param name="Answer">The recorded answer; empty where the event has none.</param>
/// <param name="Changes">What it changes in the model's state.</param>
/// <param name="Note">Where the model disagrees or knows nothing, that; else empty.</param>
public sealed record StoryEvent(int Line, string Text, string Answer, IReadOnlyList<string> Changes, string Note);

/// <summary>A sequence in an overview.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Line">The line of its reset.</param>
/// <param name="Events">Events, the reset included.</param>
/// <param name="Calls">Calls among them.</param>
/// <param name="Statuses">How often each status occurs, operand left out, the most frequent first. TD exits are one.</param>
public sealed record SequenceSummary(int Number, int Line, int Events, int Calls, IReadOnlyList<(string Name, int Count)> Statuses);

/// <summary>Tells a trace: an overview of its sequences, or one sequence event by event with the changes of state.</summary>
public static class TraceStory
{
    /// <summary>All sequences of a trace.</summary>
    /// <exception cref="TraceException">The trace cannot be read.</exception>
    public static IReadOnlyList<SequenceSummary> Overview(TraceInput input)
    {
        using TraceReader reader = input.Open();
        var sequences = new List<SequenceSummary>();
        var statuses = new Dictionary<string, int>();
        int number = 0, line = 0, events = 0, calls = 0;
        while (reader.Read())
        {
            ref readonly TraceEvent e = ref reader.Current;
            if (e.Kind == TraceEventKind.Reset)
            {
                Finish();
                (number, line) = (e.Sequence, e.Line);
            }

            events++;
            if (e.Kind is TraceEventKind.Seamcall or TraceEventKind.Enter or TraceEventKind.Exit or TraceEventKind.Begin)
                calls++;
            if (e.Kind != TraceEventKind.GuestResult && e.HasOutput)
                Count(e);
        }

        Finish();
        return sequences;

        void Count(in TraceEvent e)
        {
            var status = new StatusCode(e.Output.Rax);
            bool isExit = (HostLeaf)LeafNames.Number(e.Input.Rax) == HostLeaf.TDH_VP_ENTER && !status.IsError;
            string name = isExit ? "TD exit" : status.Base.Info?.Name ?? status.Name;
            statuses[name] = statuses.GetValueOrDefault(name) + 1;
        }

        void Finish()
        {
            if (events > 0)
            {
                sequences.Add(new SequenceSummary(
                    number, line, events, calls, [.. statuses.OrderByDescending(status => status.Value).Select(status => (status.Key, status.Value))]));
            }

            statuses.Clear();
            (events, calls) = (0, 0);
        }
    }

    /// <summary>The events of the sequence whose reset is at a line, as they are read.</summary>
    /// <param name="input">The trace.</param>
    /// <param name="line">The line of the reset.</param>
    /// <param name="profile">The module version by which the model shows the state; null: what the trace says.</param>
    /// <exception cref="TraceException">The trace cannot be read.</exception>
    public static IEnumerable<StoryEvent> Tell(TraceInput input, int line, ModuleProfile? profile = null)
    {
        using TraceReader reader = input.Open();
        PlatformInfo platform = reader.Header.Platform;
        var replay = new ModelReplay(profile is { } other ? platform with { Profile = other } : platform);
        bool isFollowed = true;
        while (reader.Read())
        {
            if (reader.Current.Line < line)
                continue;
            if (reader.Current.Line > line && reader.Current.Kind == TraceEventKind.Reset)
                yield break;
            yield return Tell(replay, reader.Current, ref isFollowed);
        }
    }

    private static StoryEvent Tell(ModelReplay replay, in TraceEvent e, ref bool isFollowed)
    {
        var told = new StoryEvent(e.Line, TraceEventText.Describe(e), AnswerText.Recorded(e), [], "");
        if (!isFollowed)
            return told;

        ReplayStop? stop = replay.Step(e);
        if (stop?.Verdict == ReplayVerdict.OutOfScope)
        {
            isFollowed = false;
            return told with { Note = $"{replay.Unmodelled(e)}; from here on no state is shown" };
        }

        told = told with { Changes = replay.Changes() };
        if (stop is null)
            return told;

        string decided = replay.Deciding(e) is { } step ? $" ({step})" : "";
        replay.FollowRecording(e);
        return told with { Note = $"the model disagrees: {stop.Reason}{decided}" };
    }
}
