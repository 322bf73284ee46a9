using System.Buffers;
using System.Text.Json;
using TdxVerify.Abi;

namespace TdxVerify.Hardware.Trace;

/// <summary>
/// Writes a trace that <see cref="TraceReader"/> reads back as the same events. The file is compressed where its
/// name ends in .gz.
/// </summary>
public sealed class TraceWriter : IDisposable
{
    private readonly string _file;
    private readonly Stream _stream;
    private readonly ArrayBufferWriter<byte> _line = new();
    private readonly Utf8JsonWriter _json;

    private TraceWriter(string file, Stream stream)
    {
        _file = file;
        _stream = stream;
        _json = new Utf8JsonWriter(_line, new JsonWriterOptions
        {
            Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        });
    }

    /// <summary>Creates a file, or replaces it, and writes its header.</summary>
    /// <exception cref="TraceException">The file cannot be written.</exception>
    public static TraceWriter Create(string path, TraceHeader header) => Create(path, TraceStream.Create(path), header);

    /// <summary>Writes plain JSON Lines to a stream, which the writer owns from now on.</summary>
    /// <param name="file">A name for errors.</param>
    /// <param name="stream">The stream.</param>
    /// <param name="header">The first line.</param>
    /// <exception cref="TraceException">The stream cannot be written.</exception>
    public static TraceWriter Create(string file, Stream stream, TraceHeader header)
    {
        var writer = new TraceWriter(file, stream);
        writer.WriteHeader(header);
        return writer;
    }

    /// <summary>Writes an event. <see cref="TraceEvent.Line"/> is not used.</summary>
    /// <exception cref="TraceException">The file cannot be written.</exception>
    public void Write(in TraceEvent e)
    {
        _json.WriteStartObject();
        _json.WriteString("e"u8, TraceWords.TextOf(TraceWords.Events, e.Kind));
        switch (e.Kind)
        {
            case TraceEventKind.Reset:
                if (e.HasSequence)
                    _json.WriteNumber("seq"u8, e.Sequence);
                break;
            case TraceEventKind.Begin:
            case TraceEventKind.End:
                _json.WriteNumber("id"u8, e.Id);
                _json.WriteNumber("lp"u8, e.Lp);
                _json.WriteNumber("t"u8, e.Time);
                if (e.Kind == TraceEventKind.Begin)
                    Registers("in"u8, e.Input, NonZero(e.Input));
                break;
            case TraceEventKind.Seamcall:
            case TraceEventKind.Enter:
                _json.WriteNumber("lp"u8, e.Lp);
                Registers("in"u8, e.Input, NonZero(e.Input));
                if (e.Kind == TraceEventKind.Enter)
                    _json.WriteBoolean("running"u8, e.Running);
                break;
            case TraceEventKind.Exit:
                _json.WriteNumber("lp"u8, e.Lp);
                break;
            case TraceEventKind.Guest:
                Hex("vp"u8, e.Hpa);
                Operation(e);
                break;
            case TraceEventKind.GuestResult:
                Hex("vp"u8, e.Hpa);
                _json.WriteBoolean("completed"u8, e.Completed);
                _json.WriteBoolean("ve"u8, e.VirtualizationException);
                break;
            case TraceEventKind.Write:
                Hex("hpa"u8, e.Hpa);
                if (e.Data is not null)
                {
                    _json.WriteString("data"u8, Convert.ToHexStringLower(e.Data));
                }
                else
                {
                    _json.WriteNumber("fill"u8, e.Fill);
                    _json.WriteNumber("length"u8, e.Length);
                }

                break;
            case TraceEventKind.Interrupt:
                _json.WriteBoolean("pending"u8, e.Pending);
                break;
            case TraceEventKind.Lock:
            case TraceEventKind.Unlock:
                Lock(e);
                break;
            default:
                throw new ArgumentException($"No event: {e.Kind}.", nameof(e));
        }

        if (e.HasOutput)
            Registers("out"u8, e.Output, e.Listed);
        _json.WriteEndObject();
        EndLine();
    }

    /// <summary>Writes what is still buffered and closes the file.</summary>
    /// <exception cref="TraceException">The file cannot be written.</exception>
    public void Dispose()
    {
        _json.Dispose();
        try
        {
            _stream.Dispose();
        }
        catch (Exception e) when (TraceStream.IsSystemFault(e))
        {
            throw CannotWrite(e);
        }
    }

    private static RegisterSet NonZero(in RegisterFile registers) =>
        RegisterSet.Differing(registers, default).With(Register.Rax);

    private void WriteHeader(TraceHeader header)
    {
        _json.WriteStartObject();
        _json.WriteString("format"u8, TraceHeader.Format);
        _json.WriteNumber("version"u8, TraceHeader.Version);
        _json.WriteString("implementation"u8, header.Implementation);
        if (header.Schedule is not null)
            _json.WriteString("schedule"u8, header.Schedule);
        _json.WriteStartObject("info"u8);
        foreach (PlatformKey key in PlatformKeys.All)
        {
            ulong value = key.Get(header.Platform);
            if (key.Hex)
                _json.WriteString(key.Name, $"0x{value:x}");
            else
                _json.WriteNumber(key.Name, value);
        }

        _json.WriteString("module"u8, header.Platform.Profile.Name());
        if (header.Scenario is not null)
            _json.WriteString("scenario"u8, header.Scenario);
        _json.WriteEndObject();
        _json.WriteEndObject();
        EndLine();
    }

    private void Operation(in TraceEvent e)
    {
        _json.WriteStartObject("op"u8);
        _json.WriteString("kind"u8, TraceWords.TextOf(TraceWords.Operations, e.Operation));
        if (e.Operation == GuestOperationKind.Access)
        {
            _json.WriteString("access"u8, TraceWords.TextOf(e.Access));
            Hex("rip"u8, e.Rip);
            Hex("gpa"u8, e.Gpa);
        }
        else if (e.Operation == GuestOperationKind.Tdcall)
        {
            Hex("rip"u8, e.Rip);
            Registers("in"u8, e.Input, NonZero(e.Input));
        }

        _json.WriteEndObject();
    }

    private void Lock(in TraceEvent e)
    {
        _json.WriteString("which"u8, TraceWords.TextOf(TraceWords.Locks, e.Lock.Which));
        _json.WriteString("mode"u8, TraceWords.TextOf(TraceWords.Modes, e.Lock.Exclusive));
        _json.WriteString("by"u8, TraceWords.TextOf(TraceWords.Agents, e.Lock.Guest));
        Hex("arg"u8, e.Lock.Argument);
        if (e.Lock.Which == PortLock.SeptEntry)
            Hex("arg2"u8, e.Lock.Argument2);
        _json.WriteBoolean("ok"u8, e.Ok);
    }

    private void Registers(ReadOnlySpan<byte> key, in RegisterFile registers, RegisterSet listed)
    {
        _json.WriteStartObject(key);
        foreach (Register register in RegisterFile.All)
        {
            if (listed.Contains(register))
                _json.WriteString(RegisterNames.Of(register), $"0x{registers[register]:x}");
        }

        _json.WriteEndObject();
    }

    private void Hex(ReadOnlySpan<byte> key, ulong value) => _json.WriteString(key, $"0x{value:x}");

    private void EndLine()
    {
        _json.Flush();
        _json.Reset();
        _line.Write("\n"u8);
        try
        {
            _stream.Write(_line.WrittenSpan);
        }
        catch (Exception e) when (TraceStream.IsSystemFault(e))
        {
            throw CannotWrite(e);
        }

        _line.ResetWrittenCount();
    }

    private TraceException CannotWrite(Exception cause) => new(_file, 0, $"cannot be written: {cause.Message}", cause);
}
