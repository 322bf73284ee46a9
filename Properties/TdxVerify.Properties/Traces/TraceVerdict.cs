using TdxVerify.Abi;
using TdxVerify.Properties.Histories;
using TdxVerify.Properties.State;

namespace TdxVerify.Properties.Traces;

/// <summary>How a trace was judged.</summary>
public enum TraceOutcome
{
    /// <summary>Every answer is the target's.</summary>
    Accepted,

    /// <summary>An answer is not.</summary>
    Rejected,

    /// <summary>The file cannot be read, or is no well-formed trace.</summary>
    Unreadable,

    /// <summary>The trace has something that is not modelled, or that the target cannot do.</summary>
    OutOfScope,
}

/// <summary>What was found of one trace.</summary>
/// <param name="File">The trace, as the user named it.</param>
/// <param name="Outcome">How it was judged.</param>
/// <param name="Sequences">Sequences begun.</param>
/// <param name="Events">Events replayed, the one included at which judging stopped.</param>
/// <param name="Calls">Calls among them; the two halves of a TDH.VP.ENTER are two.</param>
/// <param name="Elapsed">The time that reading and replaying took.</param>
/// <param name="Finding">Where and why judging stopped; null where the trace was accepted.</param>
public sealed record TraceVerdict(
    string File, TraceOutcome Outcome, long Sequences, long Events, long Calls, TimeSpan Elapsed, TraceFinding? Finding);

/// <summary>Where and why judging stopped.</summary>
/// <param name="Line">The line of the file, from 1; null where the file as a whole is at fault.</param>
/// <param name="Sequence">The sequence's number; null where none was reached.</param>
/// <param name="Reason">What is wrong, in one line, without file and line.</param>
/// <param name="Rejection">For a rejected trace: what was recorded, what was answered, and why.</param>
public sealed record TraceFinding(int? Line, int? Sequence, string Reason, Rejection? Rejection)
{
    /// <summary>For a rejected history of overlapping calls: what could have been there instead.</summary>
    public HistoryRejection? History { get; init; }
}

/// <summary>A recorded answer that the target did not give, explained.</summary>
public sealed record Rejection
{
    /// <summary>What was asked, such as <c>LP 1: TDH.MEM.TRACK TD 0x100000000</c>.</summary>
    public required string Call { get; init; }

    /// <summary>The recorded answer, decoded.</summary>
    public required string Recorded { get; init; }

    /// <summary>The target's answer, decoded.</summary>
    public required string Actual { get; init; }

    /// <summary>RAX, and every other register that the call changed or that differs; empty where registers were not compared.</summary>
    public required IReadOnlyList<ComparedRegister> Registers { get; init; }

    /// <summary>The step by which the model decided; null where the event is no call.</summary>
    public required DecidingStep? Deciding { get; init; }

    /// <summary>The model's state before the event.</summary>
    public required IReadOnlyList<StateLine> StateBefore { get; init; }

    /// <summary>What the event changed in the model.</summary>
    public required IReadOnlyList<string> Changes { get; init; }

    /// <summary>How the target's platform differs from the recorded one, which may be the reason; else empty.</summary>
    public required string PlatformNote { get; init; }

    /// <summary>How the model's own answer compares, where the target is not the model; else empty.</summary>
    public required string ModelNote { get; init; }
}

/// <summary>A register after a call.</summary>
/// <param name="Register">The register.</param>
/// <param name="Recorded">Its recorded value.</param>
/// <param name="Actual">Its value in the target's answer.</param>
public readonly record struct ComparedRegister(Register Register, ulong Recorded, ulong Actual)
{
    /// <summary>The values differ.</summary>
    public bool Differs => Recorded != Actual;
}
