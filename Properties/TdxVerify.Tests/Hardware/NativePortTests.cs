using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using TdxVerify.Abi;
using TdxVerify.Hardware.Native;
using TdxVerify.Hardware.Ports;
using TdxVerify.Hardware.Replay;
using TdxVerify.Hardware.Trace;
using Xunit;

namespace TdxVerify.Tests.Hardware;

/// <summary>
/// What the native port passes to a library, and what it makes of a library's answers. The library is
/// Native/fixture.c: registers come back rotated by one, and it records how it was called.
/// </summary>
public class NativePortTests(NativeFixture fixture) : IClassFixture<NativeFixture>
{
    private const ulong CallRecord = 0x1000;
    private const ulong FailWith = 0xE000_0000;

    // enum operation of fixture.c.
    private enum Operation : ulong
    {
        None,
        Reset,
        Seamcall,
        Submit,
        Result,
        Enter,
        Exit,
        Interrupt,
        Lock,
        Unlock,
    }

    public static TheoryData<int, PortResult> Errors => new()
    {
        { 38, PortResult.NotSupported },
        { 16, PortResult.Busy },
        { 5, PortResult.Died },
        { 22, PortResult.Invalid },
        { 12, (PortResult)(-12) },
    };

    // A variant of the library, and what is said of it.
    public static TheoryData<string, string> UnusableLibraries => new()
    {
        { "FIXTURE_ABI_VERSION=2", "tdxv_info says abi_version 2, this program needs 1" },
        { "FIXTURE_LP_COUNT=0", "tdxv_info says lp_count 0x0, expected 0x1 to" },
        { "FIXTURE_LP_COUNT=4294967295u", "tdxv_info says lp_count 0xffffffff" },
        { "FIXTURE_NO_MEM_READ", "the symbol tdxv_mem_read is missing" },
        { "FIXTURE_OPEN_FAILS", "tdxv_open failed: No such device (-19)" },
    };

    // The C struct is 15 64-bit words: rotated by one, every register shows where it went and where it came from.
    private static RegisterFile Distinct => Registers(i => 0xF0F0_0000_0000_0000 + (ulong)i * 0x0101);

    private static RegisterFile Rotated => Registers(i => 0xF0F0_0000_0000_0000 + (ulong)((i + 14) % 15) * 0x0101);

    [Fact]
    public void The_platform_is_that_of_the_library_and_the_rest_from_the_caller()
    {
        using NativePort port = fixture.Open();
        Assert.Equal("fixture: registers rotated by one", port.Name);
        Assert.True(port.SupportsThreads);
        PlatformInfo expected = NativeFixture.Defaults with
        {
            LpCount = 3,
            PageBase = 0x4000_0000,
            PageCount = 4,
            HkidFirst = 34,
            HkidCount = 7,
            TdcsPages = 8,
            TdvpxPages = 9,
        };
        Assert.Equal(expected, port.Platform);
    }

    [Fact]
    public void All_registers_of_a_seamcall_reach_the_library_and_come_back()
    {
        using NativePort port = fixture.Open();
        RegisterFile registers = Distinct;
        Assert.Equal(PortResult.Ok, port.Seamcall(2, ref registers));
        Assert.Equal(Rotated, registers);
        Record record = LastCall(port, Operation.Seamcall);
        Assert.Equal(2ul, record.Arguments[0]);
        Assert.Equal(Distinct, record.Registers);
    }

    [Fact]
    public void Entering_has_two_halves()
    {
        using NativePort port = fixture.Open();
        RegisterFile registers = Distinct;
        Assert.Equal(PortResult.Ok, port.EnterBegin(1, ref registers, out bool running));
        Assert.True(running);
        Assert.Equal(1ul, LastCall(port, Operation.Enter).Arguments[0]);

        registers = Distinct;
        Assert.Equal(PortResult.Ok, port.EnterBegin(2, ref registers, out running));
        Assert.False(running);
        Assert.Equal(Rotated, registers);

        registers = Distinct;
        Assert.Equal(PortResult.Ok, port.EnterEnd(1, ref registers));
        Assert.Equal(Rotated, registers);
        Record record = LastCall(port, Operation.Exit);
        Assert.Equal(1ul, record.Arguments[0]);
        Assert.Equal(Distinct, record.Registers);
    }

    [Fact]
    public void A_guest_operation_reaches_the_library_and_its_result_comes_back()
    {
        using NativePort port = fixture.Open();
        var operation = new GuestOperation
        {
            Kind = GuestOperationKind.Tdcall,
            Access = GuestAccess.Read | GuestAccess.Execute,
            Rip = 0x1111_2222_3333_4444,
            Gpa = 0x5555_6666_7777_8888,
            Registers = Distinct,
        };
        Assert.Equal(PortResult.Ok, port.GuestSubmit(0x9000, operation));
        Record record = LastCall(port, Operation.Submit);
        Assert.Equal(0x9000ul, record.Arguments[0]);
        Assert.Equal(operation, record.Guest);

        Assert.Equal(PortResult.Ok, port.GuestResult(0xA000, out GuestResult result));
        Assert.Equal(0xA000ul, LastCall(port, Operation.Result).Arguments[0]);
        Assert.True(result.Completed);
        Assert.False(result.VirtualizationException);
        Assert.Equal(Distinct, result.Registers);

        port.GuestSubmit(0x9000, new GuestOperation { Kind = GuestOperationKind.Access });
        port.GuestResult(0x9000, out result);
        Assert.False(result.Completed);
        Assert.True(result.VirtualizationException);
    }

    [Fact]
    public void Memory_is_read_as_written()
    {
        using NativePort port = fixture.Open();
        ulong end = port.Platform.PageEnd;
        byte[] written = [1, 2, 3, 0xFF];
        byte[] read = new byte[6];
        Assert.Equal(PortResult.Ok, port.MemoryWrite(end - 4, written));
        Assert.Equal(PortResult.Ok, port.MemoryRead(end - 6, read));
        Assert.Equal([0, 0, 1, 2, 3, 0xFF], read);
        Assert.Equal(PortResult.Invalid, port.MemoryWrite(end - 3, written));
        Assert.Equal(PortResult.Invalid, port.MemoryRead(end, read));
        Assert.Equal(PortResult.Ok, port.Reset());
        LastCall(port, Operation.Reset);
        port.MemoryRead(end - 6, read);
        Assert.Equal(new byte[6], read);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_interrupt_is_pending_or_not(bool pending)
    {
        using NativePort port = fixture.Open();
        Assert.Equal(PortResult.Ok, port.Interrupt(pending));
        Assert.Equal(pending ? 1ul : 0, LastCall(port, Operation.Interrupt).Arguments[0]);
    }

    [Theory]
    [InlineData(PortLock.Tdr, true, false)]
    [InlineData(PortLock.SeptEntry, false, true)]
    [InlineData(PortLock.Tdvps, true, true)]
    public void A_lock_reaches_the_library(PortLock which, bool exclusive, bool guest)
    {
        using NativePort port = fixture.Open();
        var operation = new LockOperation(which, exclusive, guest, 0x4000_0000, 0x8000_0000_0000_0001);
        ulong[] expected = [(ulong)which, exclusive ? 1ul : 0, guest ? 1ul : 0, 0x4000_0000, 0x8000_0000_0000_0001, 0];
        Assert.Equal(PortResult.Ok, port.Lock(operation));
        Assert.Equal(expected, LastCall(port, Operation.Lock).AllArguments);
        Assert.Equal(PortResult.Ok, port.Unlock(operation));
        Assert.Equal(expected, LastCall(port, Operation.Unlock).AllArguments);
    }

    [Fact]
    public void A_lock_may_be_refused_or_not_exist()
    {
        using NativePort port = fixture.Open();
        Assert.Equal(PortResult.Busy, port.Lock(new LockOperation(PortLock.Epoch, true, false, 0x4000_0000)));
        Assert.Equal(PortResult.Invalid, port.Lock(new LockOperation(PortLock.Tdr, true, false, 0)));
    }

    [Theory]
    [MemberData(nameof(Errors))]
    public void An_errno_of_the_library_is_the_ports_result(int errno, PortResult expected)
    {
        using NativePort port = fixture.Open();
        var registers = new RegisterFile { Rax = FailWith | (ulong)errno };
        Assert.Equal(expected, port.Seamcall(0, ref registers));
        Assert.Equal(expected, port.EnterBegin(1, ref registers, out bool running));
        Assert.False(running);
        Assert.Equal(expected, port.EnterEnd(1, ref registers));
    }

    [Theory]
    [InlineData("FIXTURE_NO_OPTIONAL")]
    [InlineData("FIXTURE_OPTIONAL_ENOSYS")]
    public void Optional_operations_that_the_library_lacks_are_not_supported_and_reported(string variant)
    {
        using NativePort port = fixture.Open(variant);
        RegisterFile registers = Distinct;
        Assert.Equal(PortResult.NotSupported, port.EnterBegin(1, ref registers, out bool running));
        Assert.False(running);
        Assert.Equal(PortResult.NotSupported, port.EnterEnd(1, ref registers));
        Assert.Equal(PortResult.NotSupported, port.Interrupt(true));
        Assert.Equal(PortResult.NotSupported, port.Lock(new LockOperation(PortLock.Tdr, true, false, 0x4000_0000)));
        Assert.Equal(PortResult.NotSupported, port.Unlock(new LockOperation(PortLock.Tdr, true, false, 0x4000_0000)));
        Assert.Equal(Distinct, registers);

        bool exported = variant == "FIXTURE_OPTIONAL_ENOSYS";
        Assert.Equal(exported ? 0 : 5, port.MissingSymbols.Count);
        PortCapabilities capabilities = PortCapabilities.Probe(port);
        Assert.False(capabilities.CanEnterInHalves);
        Assert.False(capabilities.CanInterrupt);
        Assert.Equal(Enum.GetValues<PortLock>(), capabilities.MissingLocks);
        Assert.Contains("TDH.VP.ENTER in two halves", capabilities.Missing);
        Assert.Contains("sept-tree lock held by others", capabilities.Missing);
    }

    [Fact]
    public void A_leaf_that_the_library_lacks_is_reported()
    {
        using NativePort port = fixture.Open();
        PortCapabilities capabilities = PortCapabilities.Probe(port);
        Assert.Equal([HostLeaf.TDH_MEM_PAGE_RELOCATE], capabilities.MissingHostLeaves);
        Assert.Equal(["TDH.MEM.PAGE.RELOCATE"], capabilities.Missing);
    }

    [Theory]
    [MemberData(nameof(UnusableLibraries))]
    public void An_unusable_library_is_named_with_what_is_wrong(string variant, string fault)
    {
        string library = fixture.Library(variant);
        NativePortException error = Assert.Throws<NativePortException>(() => NativePort.Open(library, NativeFixture.Defaults).Dispose());
        Assert.StartsWith($"{library}: {fault}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_no_library_is_named_with_what_is_wrong()
    {
        string text = fixture.Write("text.so", Encoding.UTF8.GetBytes("no library"));
        (string Path, string Fault)[] files =
        [
            (text, "is no shared library that can be loaded here: file too short"),
            (fixture.Write("other.so", new byte[10_000]), "is no shared library that can be loaded here: invalid ELF header"),
            (text + ".gone", "no such file"),
            (Path.GetDirectoryName(text)!, "is a directory"),
            ("", "no such file"),
        ];
        foreach ((string path, string fault) in files)
        {
            NativePortException error = Assert.Throws<NativePortException>(() => NativePort.Open(path, NativeFixture.Defaults).Dispose());
            Assert.Equal(path, error.File);
            Assert.StartsWith($"{path}: {fault}", error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', error.Message);
        }
    }

    [Fact]
    public void A_result_that_the_interface_does_not_define_is_an_error()
    {
        using NativePort port = fixture.Open("FIXTURE_STRANGE_RESULT");
        NativePortException error = Assert.Throws<NativePortException>(() => port.Reset());
        Assert.Contains("tdxv_reset returned 7", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_closed_port_cannot_be_called()
    {
        NativePort port = fixture.Open();
        port.Dispose();
        port.Dispose();
        Assert.Throws<ObjectDisposedException>(() => port.Reset());
    }

    [Fact]
    public void A_recording_can_be_replayed_on_a_library()
    {
        using NativePort port = fixture.Open();
        List<TraceEvent> events = TraceText.ReadSequence(
            """{"e":"seamcall","lp":0,"in":{"rax":"0x9","rcx":"0x1"},"out":{"rax":"0x0","rbx":"0x9","rcx":"0x0","rdx":"0x1"}}""",
            """{"e":"seamcall","lp":0,"in":{"rax":"0x5"},"out":{"rax":"0x0","rbx":"0x5"}}""");
        var replayer = new PortReplayer(port);
        Assert.Null(replayer.Step(events[0]));
        Assert.Null(replayer.Step(events[1]));
        Assert.Equal(ReplayVerdict.OutOfScope, replayer.Step(events[2])!.Verdict);
    }

    private static RegisterFile Registers(Func<int, ulong> value)
    {
        RegisterFile registers = default;
        for (int i = 0; i < RegisterFile.All.Length; i++)
            registers[RegisterFile.All[i]] = value(i);
        return registers;
    }

    private static Record LastCall(NativePort port, Operation expected)
    {
        Record record = default;
        Assert.Equal(PortResult.Ok, port.MemoryRead(CallRecord, MemoryMarshal.AsBytes(new Span<Record>(ref record))));
        Assert.Equal(expected, (Operation)record.Operation);
        return record;
    }

    // struct record of fixture.c.
    [StructLayout(LayoutKind.Sequential)]
    private struct Record
    {
        public ulong Operation;
        public RecordArguments Arguments;
        public GuestOperation Guest;
        public RegisterFile Registers;

        public readonly ulong[] AllArguments => [.. (ReadOnlySpan<ulong>)Arguments];
    }

    [InlineArray(6)]
    private struct RecordArguments
    {
        private ulong _first;
    }
}
