using TdxVerify.Abi;

namespace TdxVerify.Hardware.Trace;

/// <summary>
/// Reads one line as an event, as it stands: what the line leaves out is filled in by <see cref="TraceContext"/>.
/// </summary>
internal sealed class TraceEventParser(TracePosition position, int lpCount)
{
    /// <summary>Reads a line.</summary>
    public void Parse(ReadOnlySpan<byte> line, out TraceEvent parsed)
    {
        parsed = default;
        parsed.Kind = FindKind(line);
        parsed.Line = position.Line;
        TraceKeys known = TraceEventKeys.Known(parsed.Kind);
        TraceKeys seen = TraceKeys.None;

        var json = new JsonLine(line, position);
        json.BeginObject("event");
        while (json.NextKey(out ReadOnlySpan<byte> name))
        {
            TraceKeys key = TraceEventKeys.Find(name) & known;
            if ((seen & key) != 0)
                throw position.Error($"the key {TraceEventKeys.Names(key)} occurs twice");
            seen |= key;
            if (key == TraceKeys.None)
                json.Skip();
            else
                Value(ref json, key, ref parsed);
        }

        json.End();
        TraceKeys missing = Required(parsed, seen) & ~seen;
        if (missing != TraceKeys.None)
            throw position.Error($"this {KindName(parsed.Kind)} event lacks {TraceEventKeys.Names(missing)}");
        if (parsed.Kind == TraceEventKind.Write)
            CheckWrite(parsed, seen);
    }

    private static string KindName(TraceEventKind kind) => TraceWords.TextOf(TraceWords.Events, kind);

    // The kind decides which other keys are known, and nothing says that it is the first key of the line.
    private TraceEventKind FindKind(ReadOnlySpan<byte> line)
    {
        var json = new JsonLine(line, position);
        json.BeginObject("event");
        while (json.NextKey(out ReadOnlySpan<byte> name))
        {
            if (name.SequenceEqual("e"u8))
                return json.Word("e", TraceWords.Events);
            json.Skip();
        }

        throw position.Error("expected an event: the key \"e\" is missing");
    }

    private static TraceKeys Required(in TraceEvent parsed, TraceKeys seen)
    {
        TraceKeys required = TraceEventKeys.Required(parsed.Kind);
        if (parsed.Kind == TraceEventKind.Enter && !parsed.Running)
            required |= TraceKeys.Out;
        if (parsed.Kind is TraceEventKind.Lock or TraceEventKind.Unlock && parsed.Lock.Which == PortLock.SeptEntry)
            required |= TraceKeys.Argument2;
        if (parsed.Kind == TraceEventKind.Write)
            required |= (seen & TraceKeys.Fill) != 0 ? TraceKeys.Length : TraceKeys.Data;
        return required;
    }

    private void Value(ref JsonLine json, TraceKeys key, ref TraceEvent parsed)
    {
        switch (key)
        {
            case TraceKeys.Kind:
                json.Skip();
                break;
            case TraceKeys.Sequence:
                parsed.Sequence = (int)json.Integer("seq", 0, int.MaxValue);
                parsed.HasSequence = true;
                break;
            case TraceKeys.Lp:
                parsed.Lp = (int)json.Integer("lp", 0, lpCount - 1);
                break;
            case TraceKeys.In:
                Registers(ref json, "in", ref parsed.Input);
                break;
            case TraceKeys.Out:
                parsed.Listed = Registers(ref json, "out", ref parsed.Output);
                parsed.HasOutput = true;
                if (!parsed.Listed.Contains(Register.Rax))
                    throw position.Error("out: rax, the status, is missing");
                break;
            case TraceKeys.VirtualProcessor:
                parsed.Hpa = json.Hex("vp");
                break;
            case TraceKeys.Operation:
                Operation(ref json, ref parsed);
                break;
            case TraceKeys.Completed:
                parsed.Completed = json.Boolean("completed");
                break;
            case TraceKeys.VirtualizationException:
                parsed.VirtualizationException = json.Boolean("ve");
                break;
            case TraceKeys.Hpa:
                parsed.Hpa = json.Hex("hpa");
                break;
            case TraceKeys.Data:
                parsed.Data = Bytes(json.Raw("data", "a string of hexadecimal bytes"));
                parsed.Length = parsed.Data.Length;
                break;
            case TraceKeys.Fill:
                parsed.Fill = (byte)json.Integer("fill", 0, byte.MaxValue);
                break;
            case TraceKeys.Length:
                parsed.Length = (int)json.Integer("length", 1, Abi.Hpa.PageSize);
                break;
            case TraceKeys.Running:
                parsed.Running = json.Boolean("running");
                break;
            case TraceKeys.Pending:
                parsed.Pending = json.Boolean("pending");
                break;
            case TraceKeys.Which:
                parsed.Lock = parsed.Lock with { Which = json.Word("which", TraceWords.Locks) };
                break;
            case TraceKeys.Mode:
                parsed.Lock = parsed.Lock with { Exclusive = json.Word("mode", TraceWords.Modes) };
                break;
            case TraceKeys.By:
                parsed.Lock = parsed.Lock with { Guest = json.Word("by", TraceWords.Agents) };
                break;
            case TraceKeys.Argument:
                parsed.Lock = parsed.Lock with { Argument = json.Hex("arg") };
                break;
            case TraceKeys.Argument2:
                parsed.Lock = parsed.Lock with { Argument2 = json.Hex("arg2") };
                break;
            case TraceKeys.Ok:
                parsed.Ok = json.Boolean("ok");
                break;
            case TraceKeys.Id:
                parsed.Id = json.Integer("id", 0, long.MaxValue);
                break;
            case TraceKeys.Time:
                parsed.Time = json.Integer("t", 0, long.MaxValue);
                break;
            default:
                throw new InvalidOperationException($"The key {key} is declared and not read.");
        }
    }

    // A register that is not of the interface is an error and no unknown key: it would be a value left unchecked.
    private RegisterSet Registers(ref JsonLine json, string key, ref RegisterFile registers)
    {
        RegisterSet listed = default;
        json.BeginObject(key);
        while (json.NextKey(out ReadOnlySpan<byte> name))
        {
            if (!RegisterNames.TryParse(name, out Register register))
                throw position.Error($"{key}: {TracePosition.Quote(name)} is no register of the interface (rax, rbx, rcx, rdx, rsi, rdi, rbp, r8 to r15)");
            if (listed.Contains(register))
                throw position.Error($"{key}: {RegisterNames.Of(register)} occurs twice");
            registers[register] = json.Hex(key);
            listed = listed.With(register);
        }

        return listed;
    }

    private void Operation(ref JsonLine json, ref TraceEvent parsed)
    {
        GuestOperationKind? kind = null;
        GuestAccess? access = null;
        ulong? rip = null;
        ulong? gpa = null;
        bool hasInput = false;
        json.BeginObject("op");
        while (json.NextKey(out ReadOnlySpan<byte> name))
        {
            if (name.SequenceEqual("kind"u8))
            {
                kind = json.Word("op.kind", TraceWords.Operations);
            }
            else if (name.SequenceEqual("access"u8))
            {
                access = Access(ref json);
            }
            else if (name.SequenceEqual("rip"u8))
            {
                rip = json.Hex("op.rip");
            }
            else if (name.SequenceEqual("gpa"u8))
            {
                gpa = json.Hex("op.gpa");
            }
            else if (name.SequenceEqual("in"u8))
            {
                parsed.Input = default;
                Registers(ref json, "op.in", ref parsed.Input);
                hasInput = true;
            }
            else
            {
                json.Skip();
            }
        }

        parsed.Operation = kind ?? throw position.Error("this guest event lacks \"op.kind\"");
        switch (kind)
        {
            case GuestOperationKind.Access:
                parsed.Access = access ?? throw position.Error("this access lacks \"op.access\"");
                parsed.Rip = rip ?? throw position.Error("this access lacks \"op.rip\"");
                parsed.Gpa = gpa ?? throw position.Error("this access lacks \"op.gpa\"");
                parsed.Input = default;
                break;
            case GuestOperationKind.Tdcall:
                parsed.Rip = rip ?? throw position.Error("this tdcall lacks \"op.rip\"");
                if (!hasInput)
                    throw position.Error("this tdcall lacks \"op.in\"");
                break;
            default:
                parsed.Input = default;
                break;
        }
    }

    private static GuestAccess Access(ref JsonLine json)
    {
        const string Expected = "r, w, x or some of them";
        ReadOnlySpan<byte> letters = json.Raw("op.access", Expected);
        GuestAccess access = GuestAccess.None;
        foreach (byte letter in letters)
        {
            GuestAccess one = Array.Find(TraceWords.Accesses, row => row.Letter == letter).Access;
            if (one == GuestAccess.None || (access & one) != 0)
                throw json.Unexpected("op.access", Expected);
            access |= one;
        }

        return access == GuestAccess.None ? throw json.Unexpected("op.access", Expected) : access;
    }

    private byte[] Bytes(ReadOnlySpan<byte> hex)
    {
        if (hex.Length % 2 != 0)
            throw position.Error($"data: {hex.Length} hexadecimal digits, expected an even number");
        if (hex.Length == 0 || hex.Length / 2 > Abi.Hpa.PageSize)
            throw position.Error($"data: {hex.Length / 2} bytes, expected 1 to {Abi.Hpa.PageSize}");
        byte[] bytes = new byte[hex.Length / 2];
        return Convert.FromHexString(hex, bytes, out _, out int written) == System.Buffers.OperationStatus.Done
            ? bytes
            : throw position.Error($"data: digit {written * 2 + 1} or {written * 2 + 2} is not hexadecimal");
    }

    private void CheckWrite(in TraceEvent write, TraceKeys seen)
    {
        if ((seen & TraceKeys.Data) != 0 && (seen & (TraceKeys.Fill | TraceKeys.Length)) != 0)
            throw position.Error("this write event has \"data\" and \"fill\" or \"length\", expected either data, or fill with length");
        ulong offset = write.Hpa % Abi.Hpa.PageSize;
        if (offset + (ulong)write.Length > Abi.Hpa.PageSize)
            throw position.Error($"a write of {write.Length} bytes at 0x{write.Hpa:x} crosses a page, expected one within a 4 KiB page");
    }
}
