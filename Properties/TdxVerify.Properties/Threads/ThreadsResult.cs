using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Properties.Histories;

namespace TdxVerify.Properties.Threads;

/// <summary>What a run with threads does.</summary>
public sealed record ThreadsOptions
{
    /// <summary>Calls of one history, about; then a fresh platform.</summary>
    public const int CallsOfHistory = 500;

    /// <summary>Visible steps after which a history is left undecided.</summary>
    public long MostSteps { get; init; } = 50_000_000;

    /// <summary>Threads, each with a logical processor of its own.</summary>
    public required int Threads { get; init; }

    /// <summary>The run ends after this time.</summary>
    public TimeSpan Time { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The run ends after so many calls.</summary>
    public long Calls { get; init; } = long.MaxValue;

    /// <summary>The seed of what the threads call. When they do is up to the system.</summary>
    public ulong Seed { get; init; }

    /// <summary>Time spent on making a failure small.</summary>
    public TimeSpan ShrinkTime { get; init; } = TimeSpan.FromSeconds(20);
}

/// <summary>How much happened at the same time.</summary>
public sealed record ThreadsFigures
{
    /// <summary>Calls that ended.</summary>
    public long Calls { get; init; }

    /// <summary>Those among them that overlapped with another.</summary>
    public long Overlapping { get; init; }

    /// <summary>Those that returned OPERAND_BUSY.</summary>
    public long Busy { get; init; }

    /// <summary>Host calls that were refused a lock with host priority, and so raised it.</summary>
    public long HostPriority { get; init; }

    /// <summary>TDCALLs that were refused a lock.</summary>
    public long GuestBusy { get; init; }

    /// <summary>In percent of the calls.</summary>
    public static double Percent(long part, long calls) => calls == 0 ? 0 : 100.0 * part / calls;

    /// <summary>Both together.</summary>
    public static ThreadsFigures operator +(ThreadsFigures a, ThreadsFigures b) => new()
    {
        Calls = a.Calls + b.Calls,
        Overlapping = a.Overlapping + b.Overlapping,
        Busy = a.Busy + b.Busy,
        HostPriority = a.HostPriority + b.HostPriority,
        GuestBusy = a.GuestBusy + b.GuestBusy,
    };

    /// <summary>Counts events that end where no call is in flight.</summary>
    public static ThreadsFigures Of(ReadOnlySpan<TraceEvent> events)
    {
        long calls = 0;
        long busy = 0;
        long hostPriority = 0;
        long guestBusy = 0;
        var overlapping = new HashSet<long>();
        var open = new List<long>();
        foreach (ref readonly TraceEvent e in events)
        {
            switch (e.Kind)
            {
                case TraceEventKind.Begin:
                    open.Add(e.Id);
                    if (open.Count > 1)
                        overlapping.UnionWith(open);
                    continue;
                case TraceEventKind.End:
                    open.Remove(e.Id);
                    break;
                case TraceEventKind.GuestResult:
                    guestBusy += e.HasOutput && IsBusy(e.Output.Rax) ? 1 : 0;
                    continue;
                case TraceEventKind.Seamcall:
                    break;
                default:
                    continue;
            }

            calls++;
            busy += IsBusy(e.Output.Rax) ? 1 : 0;
            hostPriority += IsBusy(e.Output.Rax) && (OperandId)(uint)e.Output.Rax is not (OperandId.SEPT_TREE or OperandId.TD_EPOCH) ? 1 : 0;
        }

        return new ThreadsFigures { Calls = calls, Overlapping = overlapping.Count, Busy = busy, HostPriority = hostPriority, GuestBusy = guestBusy };
    }

    private static bool IsBusy(ulong rax) => new StatusCode(rax).Base.Value == Status.TDX_OPERAND_BUSY;
}

/// <summary>A history that the model does not allow, made small.</summary>
/// <param name="Reason">What is wrong, in one line.</param>
/// <param name="Finding">Why; null: the implementation died.</param>
/// <param name="Events">What is left of the history, from the reset to the event that has no explanation.</param>
/// <param name="Calls">Calls among them.</param>
/// <param name="CallsMade">Calls of the whole history up to that event.</param>
public sealed record ThreadsFailure(string Reason, HistoryFinding? Finding, IReadOnlyList<TraceEvent> Events, int Calls, int CallsMade);

/// <summary>A history of which it was not found out whether the model allows it.</summary>
/// <param name="Reason">How far it was looked for an explanation.</param>
/// <param name="Events">The history, up to where it was left.</param>
public sealed record UndecidedHistory(string Reason, IReadOnlyList<TraceEvent> Events);

/// <summary>What a run with threads found.</summary>
public sealed record ThreadsResult
{
    /// <summary>What happened.</summary>
    public required ThreadsFigures Figures { get; init; }

    /// <summary>Histories begun, each on a fresh platform.</summary>
    public required long Histories { get; init; }

    /// <summary>How long it took.</summary>
    public required double Seconds { get; init; }

    /// <summary>How much of it was judging.</summary>
    public required double JudgingSeconds { get; init; }

    /// <summary>The seed.</summary>
    public required ulong Seed { get; init; }

    /// <summary>A history that has no explanation; null: all have one, or are undecided.</summary>
    public required ThreadsFailure? Failure { get; init; }

    /// <summary>The histories that were left undecided.</summary>
    public required IReadOnlyList<UndecidedHistory> Undecided { get; init; }

    /// <summary>It was ended before its time.</summary>
    public required bool WasInterrupted { get; init; }
}
