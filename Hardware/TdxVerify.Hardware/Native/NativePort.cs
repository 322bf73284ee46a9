using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;

namespace TdxVerify.Hardware.Native;

/// <summary>
/// A TDX implementation in a shared library with the C interface of Hardware/native/tdxverify_port.h, called in this
/// process: its registers, guest operations and memory are passed without conversion.
/// </summary>
/// <remarks>
/// An optional function that the library does not export answers <see cref="PortResult.NotSupported"/>, as does one
/// that returns -ENOSYS. A negative errno value that <see cref="PortResult"/> does not name is passed on as it is.
/// A library that crashes takes this process with it.
/// </remarks>
public sealed unsafe class NativePort : IPort
{
    private const uint AbiVersion = 1;

    // More than any version's struct tdxv_info needs, so that a library of another version does no harm.
    private const int InfoBuffer = 4096;

    private readonly string _file;
    private readonly NativeFunctions _functions;
    private nint _port;

    private NativePort(string file, NativeFunctions functions, nint port)
    {
        _file = file;
        _functions = functions;
        _port = port;
        Name = "";
        Platform = new PlatformInfo();
    }

    /// <inheritdoc/>
    public string Name { get; private init; }

    /// <inheritdoc/>
    public PlatformInfo Platform { get; private init; }

    /// <inheritdoc/>
    public bool SupportsThreads { get; private init; }

    /// <summary>The optional functions that the library does not export.</summary>
    public IReadOnlyList<string> MissingSymbols => _functions.MissingSymbols;

    /// <summary>Loads a library and opens its port, on a fresh platform.</summary>
    /// <param name="path">The library's file.</param>
    /// <param name="defaults">What the library cannot say of its platform: the profile, and the values without a
    /// field in <c>struct tdxv_info</c>.</param>
    /// <exception cref="NativePortException">The file is no such library, or its port cannot be opened.</exception>
    public static NativePort Open(string path, PlatformInfo defaults)
    {
        var functions = new NativeFunctions(path, Load(path));
        nint port;
        int opened = functions.Open(&port);
        if (opened != 0)
            throw Failed(path, "tdxv_open", opened);
        if (port == 0)
            throw new NativePortException(path, "tdxv_open returned 0 and no port");

        try
        {
            NativeInfo info = ReadInfo(path, functions, port);
            return new NativePort(path, functions, port)
            {
                Name = NameOf(info.Name),
                Platform = PlatformOf(path, info, defaults),
                SupportsThreads = info.Threads == 1,
            };
        }
        catch
        {
            functions.Close(port);
            throw;
        }
    }

    /// <inheritdoc/>
    public PortResult Reset() => Result("tdxv_reset", _functions.Reset(Port()));

    /// <inheritdoc/>
    public PortResult Seamcall(int lp, ref RegisterFile registers)
    {
        fixed (RegisterFile* io = &registers)
            return Result("tdxv_seamcall", _functions.Seamcall(Port(), (uint)lp, io));
    }

    /// <inheritdoc/>
    public PortResult GuestSubmit(ulong tdvprHpa, in GuestOperation operation)
    {
        fixed (GuestOperation* submitted = &operation)
            return Result("tdxv_guest_submit", _functions.GuestSubmit(Port(), tdvprHpa, submitted));
    }

    /// <inheritdoc/>
    public PortResult GuestResult(ulong tdvprHpa, out GuestResult result)
    {
        result = default;
        fixed (GuestResult* got = &result)
            return Result("tdxv_guest_result", _functions.GuestResult(Port(), tdvprHpa, got));
    }

    /// <inheritdoc/>
    public PortResult MemoryWrite(ulong hpa, ReadOnlySpan<byte> data)
    {
        fixed (byte* bytes = data)
            return Result("tdxv_mem_write", _functions.MemoryWrite(Port(), hpa, bytes, (ulong)data.Length));
    }

    /// <inheritdoc/>
    public PortResult MemoryRead(ulong hpa, Span<byte> data)
    {
        fixed (byte* bytes = data)
            return Result("tdxv_mem_read", _functions.MemoryRead(Port(), hpa, bytes, (ulong)data.Length));
    }

    /// <inheritdoc/>
    public PortResult EnterBegin(int lp, ref RegisterFile registers, out bool running)
    {
        running = false;
        // One half is of no use without the other.
        if (_functions.EnterBegin == null || _functions.EnterEnd == null)
            return PortResult.NotSupported;

        fixed (RegisterFile* io = &registers)
        {
            int result = _functions.EnterBegin(Port(), (uint)lp, io);
            running = result == 1;
            return running ? PortResult.Ok : Result("tdxv_enter_begin", result);
        }
    }

    /// <inheritdoc/>
    public PortResult EnterEnd(int lp, ref RegisterFile registers)
    {
        if (_functions.EnterBegin == null || _functions.EnterEnd == null)
            return PortResult.NotSupported;

        fixed (RegisterFile* io = &registers)
            return Result("tdxv_enter_end", _functions.EnterEnd(Port(), (uint)lp, io));
    }

    /// <inheritdoc/>
    public PortResult Interrupt(bool pending) => _functions.Interrupt == null
        ? PortResult.NotSupported
        : Result("tdxv_interrupt", _functions.Interrupt(Port(), pending ? 1 : 0));

    /// <inheritdoc/>
    public PortResult Lock(in LockOperation operation) => _functions.Lock == null || _functions.Unlock == null
        ? PortResult.NotSupported
        : Result("tdxv_lock", _functions.Lock(
            Port(), operation.Which, operation.Exclusive ? 1 : 0, operation.Guest ? 1 : 0, operation.Argument, operation.Argument2));

    /// <inheritdoc/>
    public PortResult Unlock(in LockOperation operation) => _functions.Lock == null || _functions.Unlock == null
        ? PortResult.NotSupported
        : Result("tdxv_unlock", _functions.Unlock(
            Port(), operation.Which, operation.Exclusive ? 1 : 0, operation.Guest ? 1 : 0, operation.Argument, operation.Argument2));

    /// <summary>
    /// Closes the port. The library stays loaded: one that has installed signal handlers or started threads would
    /// otherwise leave them pointing at unmapped code.
    /// </summary>
    public void Dispose()
    {
        if (_port != 0)
            _functions.Close(_port);
        _port = 0;
    }

    private static nint Load(string path)
    {
        if (Directory.Exists(path))
            throw new NativePortException(path, "is a directory, expected a shared library");
        if (!File.Exists(path))
            throw new NativePortException(path, "no such file, expected a shared library");
        try
        {
            // The full path: a bare file name would be looked for in the system's library folders.
            return NativeLibrary.Load(Path.GetFullPath(path));
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            throw new NativePortException(path, $"is no shared library that can be loaded here: {Reason(e.Message, path)}", e);
        }
    }

    // The loader's own words are the last line of a message that otherwise repeats the path.
    private static string Reason(string message, string path)
    {
        string line = message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).LastOrDefault() ?? "";
        string prefix = Path.GetFullPath(path) + ": ";
        return line.StartsWith(prefix, StringComparison.Ordinal) ? line[prefix.Length..] : line;
    }

    private static NativeInfo ReadInfo(string path, NativeFunctions functions, nint port)
    {
        byte* buffer = stackalloc byte[InfoBuffer];
        new Span<byte>(buffer, InfoBuffer).Clear();
        int result = functions.Info(port, buffer);
        if (result != 0)
            throw Failed(path, "tdxv_info", result);
        NativeInfo info = Unsafe.ReadUnaligned<NativeInfo>(buffer);
        return info.AbiVersion == AbiVersion
            ? info
            : throw new NativePortException(path, $"tdxv_info says abi_version {info.AbiVersion}, this program needs {AbiVersion} (TDXV_ABI_VERSION of tdxverify_port.h)");
    }

    private static PlatformInfo PlatformOf(string path, in NativeInfo info, PlatformInfo defaults)
    {
        (string Field, string Key, ulong Value)[] fields =
        [
            ("lp_count", "lps", info.LpCount),
            ("page_base", "pageBase", info.PageBase),
            ("page_count", "pageCount", info.PageCount),
            ("hkid_first", "hkidFirst", info.HkidFirst),
            ("hkid_count", "hkidCount", info.HkidCount),
            ("tdcs_pages", "tdcsPages", info.TdcsPages),
            ("tdvpx_pages", "tdvpxPages", info.TdvpxPages),
        ];

        PlatformInfo platform = defaults;
        foreach ((string field, string keyName, ulong value) in fields)
        {
            PlatformKey key = PlatformKeys.Find(keyName);
            if (value < key.Minimum || value > key.Maximum)
                throw new NativePortException(path, $"tdxv_info says {field} 0x{value:x}, expected 0x{key.Minimum:x} to 0x{key.Maximum:x}");
            platform = key.Set(platform, value);
        }

        // The interface does not say which keys are the module's own: at least none that tests may use.
        platform = platform with { PrivateHkidFirst = Math.Min(defaults.PrivateHkidFirst, platform.HkidFirst) };
        return PlatformKeys.Inconsistency(platform) is { } fault
            ? throw new NativePortException(path, $"tdxv_info is inconsistent: {fault}")
            : platform;
    }

    private static string NameOf(NativeName name)
    {
        ReadOnlySpan<byte> bytes = name;
        int end = bytes.IndexOf((byte)0);
        string text = Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
        return string.Concat(text.Select(c => char.IsControl(c) ? '?' : c));
    }

    private static NativePortException Failed(string path, string symbol, int result) => new(
        path,
        result < 0
            ? $"{symbol} failed: {Marshal.GetPInvokeErrorMessage(-result)} ({result})"
            : $"{symbol} returned {result}, which tdxverify_port.h does not define");

    private nint Port()
    {
        ObjectDisposedException.ThrowIf(_port == 0, this);
        return _port;
    }

    private PortResult Result(string symbol, int result) => result <= 0 ? (PortResult)result : throw Failed(_file, symbol, result);
}
