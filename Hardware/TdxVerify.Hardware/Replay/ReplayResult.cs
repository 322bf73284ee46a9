using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;

namespace TdxVerify.Hardware.Replay;

/// <summary>How a replay ended.</summary>
public enum ReplayVerdict
{
    /// <summary>The port gave every answer of the recording.</summary>
    Accepted,

    /// <summary>The port gave another answer.</summary>
    Rejected,

    /// <summary>The recording cannot be judged this way on this port.</summary>
    OutOfScope,

    /// <summary>The implementation behind the port died.</summary>
    PortDied,
}

/// <summary>What a replay found.</summary>
/// <param name="File">The trace, as the user named it.</param>
/// <param name="Verdict">How it ended.</param>
/// <param name="Sequences">Sequences begun.</param>
/// <param name="Events">Events replayed, the one included at which the replay stopped.</param>
/// <param name="Calls">
/// Calls among them: one for each seamcall, enter and exit. The two halves of a TDH.VP.ENTER are two calls of the port.
/// </param>
/// <param name="Stop">Where and why the replay stopped; null where the trace was accepted.</param>
public sealed record ReplayResult(
    string File, ReplayVerdict Verdict, long Sequences, long Events, long Calls, ReplayStop? Stop);

/// <summary>Where and why a replay stopped. The port is left as it was then, for inspection.</summary>
/// <param name="Verdict">Rejected, out of scope, or died.</param>
/// <param name="Event">The event, with line, sequence and what was recorded.</param>
/// <param name="Reason">What is wrong, in one line, without file and line.</param>
/// <param name="Registers">The registers that differ; empty where something else is wrong.</param>
/// <param name="Actual">What the port answered in all registers; null where registers were not compared.</param>
public sealed record ReplayStop(
    ReplayVerdict Verdict,
    TraceEvent Event,
    string Reason,
    IReadOnlyList<RegisterDifference> Registers,
    RegisterFile? Actual)
{
    /// <summary>The line of the file, from 1; 0 where the event is from no file.</summary>
    public int Line => Event.Line;

    /// <summary>The sequence's number.</summary>
    public int Sequence => Event.Sequence;

    /// <summary>What the recording says of all registers; null where registers were not compared.</summary>
    public RegisterFile? Expected => Actual is null ? null : Event.Output;
}

/// <summary>A register whose recorded value the port did not give.</summary>
/// <param name="Register">The register.</param>
/// <param name="Expected">What was recorded.</param>
/// <param name="Actual">What the port answered.</param>
public readonly record struct RegisterDifference(Register Register, ulong Expected, ulong Actual)
{
    /// <inheritdoc/>
    public override string ToString() => $"{TraceEventText.Name(Register)} is {Text(Actual)}, recorded {Text(Expected)}";

    private string Text(ulong value) =>
        Register == Register.Rax ? $"{new StatusCode(value).Name} (0x{value:x})" : $"0x{value:x}";
}
