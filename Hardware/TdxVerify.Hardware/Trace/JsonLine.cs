using System.Buffers.Text;
using System.Text.Json;

namespace TdxVerify.Hardware.Trace;

/// <summary>
/// One line of a trace as JSON: walks through objects key by key and reads the value types of the format. Every
/// fault is a <see cref="TraceException"/> that says which key and what was expected, except malformed JSON, which
/// is a <see cref="JsonException"/>.
/// </summary>
internal ref struct JsonLine
{
    // Longer than any key of the format: a longer escaped key is unknown.
    private const int MaximumKey = 64;

    private readonly TracePosition _position;
    private Utf8JsonReader _json;
    private byte[]? _unescaped;

    public JsonLine(ReadOnlySpan<byte> line, TracePosition position)
    {
        _position = position;
        _json = new Utf8JsonReader(line);
        _json.Read();
    }

    /// <summary>Enters an object. <paramref name="what"/>: what it is, for the error.</summary>
    public void BeginObject(string what)
    {
        if (_json.TokenType == JsonTokenType.PropertyName)
            _json.Read();
        if (_json.TokenType != JsonTokenType.StartObject)
            throw Unexpected(what, "a JSON object");
    }

    /// <summary>Goes to the next key of the object; false at its end. The value must then be read or skipped.</summary>
    public bool NextKey(out ReadOnlySpan<byte> key)
    {
        _json.Read();
        if (_json.TokenType == JsonTokenType.EndObject)
        {
            key = default;
            return false;
        }

        key = _json.ValueIsEscaped ? Unescaped() : _json.ValueSpan;
        return true;
    }

    /// <summary>Skips the value of a key.</summary>
    public void Skip() => _json.Skip();

    /// <summary>Checks that nothing follows the outermost object.</summary>
    public void End() => _json.Read();

    /// <summary>A 64-bit value: a hexadecimal string.</summary>
    public ulong Hex(string key)
    {
        _json.Read();
        if (_json.TokenType == JsonTokenType.String)
        {
            ReadOnlySpan<byte> text = _json.ValueIsEscaped ? Unescaped() : _json.ValueSpan;
            if (text.Length is > 2 and <= 18 && text[0] == '0' && text[1] is (byte)'x' or (byte)'X'
                && Utf8Parser.TryParse(text[2..], out ulong value, out int used, 'x') && used == text.Length - 2)
                return value;
        }

        throw Unexpected(key, "a hexadecimal string of at most 64 bits, such as \"0x1f\"");
    }

    /// <summary>A JSON integer from <paramref name="minimum"/> to <paramref name="maximum"/>.</summary>
    public long Integer(string key, long minimum, long maximum)
    {
        _json.Read();
        if (_json.TokenType == JsonTokenType.Number && _json.TryGetInt64(out long value)
            && value >= minimum && value <= maximum)
            return value;

        throw Unexpected(key, maximum == long.MaxValue
            ? $"an integer from {minimum} on"
            : $"an integer from {minimum} to {maximum}");
    }

    /// <summary>True or false.</summary>
    public bool Boolean(string key)
    {
        _json.Read();
        return _json.TokenType switch
        {
            JsonTokenType.True => true,
            JsonTokenType.False => false,
            _ => throw Unexpected(key, "true or false"),
        };
    }

    /// <summary>A string.</summary>
    public string Text(string key)
    {
        _json.Read();
        if (_json.TokenType != JsonTokenType.String)
            throw Unexpected(key, "a string");
        try
        {
            return _json.GetString()!;
        }
        catch (InvalidOperationException)
        {
            // What the JSON reader throws for a string that is no text (invalid UTF-8, half of a surrogate pair).
            throw _position.Error($"{key}: the string is not valid Unicode");
        }
    }

    /// <summary>One word of a table.</summary>
    public T Word<T>(string key, TraceWord<T>[] words)
    {
        _json.Read();
        if (_json.TokenType == JsonTokenType.String)
        {
            ReadOnlySpan<byte> text = _json.ValueIsEscaped ? Unescaped() : _json.ValueSpan;
            foreach (TraceWord<T> word in words)
            {
                if (text.SequenceEqual(word.Utf8))
                    return word.Value;
            }
        }

        throw Unexpected(key, "one of " + string.Join(", ", words.Select(word => word.Text)));
    }

    /// <summary>A string without escapes, as bytes of the line.</summary>
    /// <param name="key">The key.</param>
    /// <param name="expected">What the caller will accept, for the error.</param>
    public ReadOnlySpan<byte> Raw(string key, string expected)
    {
        _json.Read();
        if (_json.TokenType != JsonTokenType.String || _json.ValueIsEscaped)
            throw Unexpected(key, expected);
        return _json.ValueSpan;
    }

    /// <summary>An error about the value just read.</summary>
    public readonly TraceException Unexpected(string key, string expected)
    {
        string found = _json.TokenType switch
        {
            JsonTokenType.String => TracePosition.Quote(_json.ValueSpan),
            JsonTokenType.Number => TracePosition.Quote(_json.ValueSpan).Trim('"'),
            JsonTokenType.StartObject => "an object",
            JsonTokenType.StartArray => "an array",
            JsonTokenType.True => "true",
            JsonTokenType.False => "false",
            _ => "null",
        };
        return _position.Error($"{key}: expected {expected}, found {found}");
    }

    private ReadOnlySpan<byte> Unescaped()
    {
        if (_json.ValueSpan.Length > MaximumKey)
            return default;
        _unescaped = new byte[MaximumKey];
        try
        {
            return _unescaped.AsSpan(0, _json.CopyString(_unescaped));
        }
        catch (InvalidOperationException)
        {
            // No valid text, so no word of the format.
            return default;
        }
    }
}
