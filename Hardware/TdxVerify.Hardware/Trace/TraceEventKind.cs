using System.Text;
using TdxVerify.Abi;

namespace TdxVerify.Hardware.Trace;

/// <summary>What an event of a trace is (Hardware/README.md, "The trace format").</summary>
public enum TraceEventKind : byte
{
    /// <summary>No event: the default value.</summary>
    None,

    /// <summary>A new sequence starts on a fresh platform.</summary>
    Reset,

    /// <summary>One SEAMCALL.</summary>
    Seamcall,

    /// <summary>What a vCPU does when it next runs.</summary>
    Guest,

    /// <summary>What became of it.</summary>
    GuestResult,

    /// <summary>The host writes memory.</summary>
    Write,

    /// <summary>The first half of TDH.VP.ENTER.</summary>
    Enter,

    /// <summary>Its second half.</summary>
    Exit,

    /// <summary>An external interrupt is, or is no longer, pending.</summary>
    Interrupt,

    /// <summary>Another agent takes a lock.</summary>
    Lock,

    /// <summary>Another agent drops a lock.</summary>
    Unlock,

    /// <summary>A call of a concurrent recording starts.</summary>
    Begin,

    /// <summary>A call of a concurrent recording ends.</summary>
    End,
}

/// <summary>A word of the trace format and the value that it stands for.</summary>
internal readonly record struct TraceWord<T>(string Text, T Value)
{
    /// <summary>The word as the file holds it.</summary>
    public byte[] Utf8 { get; } = Encoding.UTF8.GetBytes(Text);
}

/// <summary>The words of the trace format, for reading and for writing.</summary>
internal static class TraceWords
{
    public static readonly TraceWord<TraceEventKind>[] Events =
    [
        new("seamcall", TraceEventKind.Seamcall),
        new("guest", TraceEventKind.Guest),
        new("guest-result", TraceEventKind.GuestResult),
        new("lock", TraceEventKind.Lock),
        new("unlock", TraceEventKind.Unlock),
        new("enter", TraceEventKind.Enter),
        new("exit", TraceEventKind.Exit),
        new("write", TraceEventKind.Write),
        new("begin", TraceEventKind.Begin),
        new("end", TraceEventKind.End),
        new("interrupt", TraceEventKind.Interrupt),
        new("reset", TraceEventKind.Reset),
    ];

    public static readonly TraceWord<GuestOperationKind>[] Operations =
    [
        new("idle", GuestOperationKind.Idle),
        new("access", GuestOperationKind.Access),
        new("tdcall", GuestOperationKind.Tdcall),
    ];

    public static readonly TraceWord<PortLock>[] Locks =
    [
        new("tdr", PortLock.Tdr),
        new("op-state", PortLock.OpState),
        new("sept-tree", PortLock.SeptTree),
        new("epoch", PortLock.Epoch),
        new("sept-entry", PortLock.SeptEntry),
        new("pamt", PortLock.Pamt),
        new("tdvps", PortLock.Tdvps),
    ];

    /// <summary>A lock's mode; true: exclusive.</summary>
    public static readonly TraceWord<bool>[] Modes = [new("shared", false), new("exclusive", true)];

    /// <summary>Who takes a lock; true: a guest.</summary>
    public static readonly TraceWord<bool>[] Agents = [new("host", false), new("guest", true)];

    /// <summary>The letters of an access.</summary>
    public static readonly (char Letter, GuestAccess Access)[] Accesses =
        [('r', GuestAccess.Read), ('w', GuestAccess.Write), ('x', GuestAccess.Execute)];

    /// <summary>The letters for an access, such as <c>r</c> or <c>rw</c>.</summary>
    public static string TextOf(GuestAccess access) =>
        string.Concat(Accesses.Where(row => access.HasFlag(row.Access)).Select(row => row.Letter));

    /// <summary>The word for a value.</summary>
    public static string TextOf<T>(TraceWord<T>[] words, T value)
    {
        foreach (TraceWord<T> word in words)
        {
            if (EqualityComparer<T>.Default.Equals(word.Value, value))
                return word.Text;
        }

        throw new ArgumentOutOfRangeException(nameof(value), value, "The trace format has no word for this.");
    }
}
