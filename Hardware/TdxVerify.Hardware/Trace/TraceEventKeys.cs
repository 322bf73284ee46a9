using System.Text;

namespace TdxVerify.Hardware.Trace;

/// <summary>The keys of events, as a set.</summary>
[Flags]
internal enum TraceKeys
{
    None = 0,
    Kind = 1 << 0,
    Sequence = 1 << 1,
    Lp = 1 << 2,
    In = 1 << 3,
    Out = 1 << 4,
    VirtualProcessor = 1 << 5,
    Operation = 1 << 6,
    Completed = 1 << 7,
    VirtualizationException = 1 << 8,
    Hpa = 1 << 9,
    Data = 1 << 10,
    Fill = 1 << 11,
    Length = 1 << 12,
    Running = 1 << 13,
    Pending = 1 << 14,
    Which = 1 << 15,
    Mode = 1 << 16,
    By = 1 << 17,
    Argument = 1 << 18,
    Argument2 = 1 << 19,
    Ok = 1 << 20,
    Id = 1 << 21,
    Time = 1 << 22,

    LockOperation = Which | Mode | By | Argument | Ok,
}

/// <summary>Which keys each kind of event has. A key that a kind does not have is unknown there, and ignored.</summary>
internal static class TraceEventKeys
{
    private static readonly (string Name, TraceKeys Key)[] s_names =
    [
        ("e", TraceKeys.Kind),
        ("seq", TraceKeys.Sequence),
        ("lp", TraceKeys.Lp),
        ("in", TraceKeys.In),
        ("out", TraceKeys.Out),
        ("vp", TraceKeys.VirtualProcessor),
        ("op", TraceKeys.Operation),
        ("completed", TraceKeys.Completed),
        ("ve", TraceKeys.VirtualizationException),
        ("hpa", TraceKeys.Hpa),
        ("data", TraceKeys.Data),
        ("fill", TraceKeys.Fill),
        ("length", TraceKeys.Length),
        ("running", TraceKeys.Running),
        ("pending", TraceKeys.Pending),
        ("which", TraceKeys.Which),
        ("mode", TraceKeys.Mode),
        ("by", TraceKeys.By),
        ("arg", TraceKeys.Argument),
        ("arg2", TraceKeys.Argument2),
        ("ok", TraceKeys.Ok),
        ("id", TraceKeys.Id),
        ("t", TraceKeys.Time),
    ];

    private static readonly (byte[] Name, TraceKeys Key)[] s_utf8Names =
        Array.ConvertAll(s_names, name => (Encoding.UTF8.GetBytes(name.Name), name.Key));

    private static readonly (TraceEventKind Kind, TraceKeys Required, TraceKeys Optional)[] s_kinds =
    [
        (TraceEventKind.Reset, TraceKeys.None, TraceKeys.Sequence),
        (TraceEventKind.Seamcall, TraceKeys.Lp | TraceKeys.In | TraceKeys.Out, TraceKeys.None),
        (TraceEventKind.Guest, TraceKeys.VirtualProcessor | TraceKeys.Operation, TraceKeys.None),
        (TraceEventKind.GuestResult,
            TraceKeys.VirtualProcessor | TraceKeys.Completed | TraceKeys.VirtualizationException, TraceKeys.Out),
        (TraceEventKind.Write, TraceKeys.Hpa, TraceKeys.Data | TraceKeys.Fill | TraceKeys.Length),
        (TraceEventKind.Enter, TraceKeys.Lp | TraceKeys.In | TraceKeys.Running, TraceKeys.Out),
        (TraceEventKind.Exit, TraceKeys.Lp | TraceKeys.Out, TraceKeys.None),
        (TraceEventKind.Interrupt, TraceKeys.Pending, TraceKeys.None),
        (TraceEventKind.Lock, TraceKeys.LockOperation, TraceKeys.Argument2),
        (TraceEventKind.Unlock, TraceKeys.LockOperation, TraceKeys.Argument2),
        (TraceEventKind.Begin, TraceKeys.Id | TraceKeys.Lp | TraceKeys.Time | TraceKeys.In, TraceKeys.None),
        (TraceEventKind.End, TraceKeys.Id | TraceKeys.Lp | TraceKeys.Time | TraceKeys.Out, TraceKeys.None),
    ];

    private static readonly TraceKeys[] s_required = ByKind(row => TraceKeys.Kind | row.Required);

    private static readonly TraceKeys[] s_known = ByKind(row => TraceKeys.Kind | row.Required | row.Optional);

    /// <summary>The key with this name; none where no event has it.</summary>
    public static TraceKeys Find(ReadOnlySpan<byte> name)
    {
        foreach ((byte[] candidate, TraceKeys key) in s_utf8Names)
        {
            if (name.SequenceEqual(candidate))
                return key;
        }

        return TraceKeys.None;
    }

    /// <summary>The keys that an event of this kind has or may have.</summary>
    public static TraceKeys Known(TraceEventKind kind) => s_known[(int)kind];

    /// <summary>The keys that an event of this kind needs.</summary>
    public static TraceKeys Required(TraceEventKind kind) => s_required[(int)kind];

    /// <summary>The names of keys, for an error.</summary>
    public static string Names(TraceKeys keys) =>
        string.Join(", ", s_names.Where(name => (keys & name.Key) != 0).Select(name => $"\"{name.Name}\""));

    private static TraceKeys[] ByKind(Func<(TraceEventKind Kind, TraceKeys Required, TraceKeys Optional), TraceKeys> keys)
    {
        var byKind = new TraceKeys[Enum.GetValues<TraceEventKind>().Length];
        foreach ((TraceEventKind Kind, TraceKeys Required, TraceKeys Optional) row in s_kinds)
            byKind[(int)row.Kind] = keys(row);
        return byKind;
    }
}
