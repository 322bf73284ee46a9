using TdxVerify.Abi;
using static TdxVerify.Host.Do;
using static TdxVerify.Host.When;

namespace TdxVerify.Host.Proposals;

/// <summary>SEAMCALL wrappers that repeat a busy call.</summary>
internal static class RetryWrappers
{
    /// <summary>How often the bounded wrapper repeats: the counter starts at 16, so there are 17 calls.</summary>
    public const int Repeats = 16;

    /// <summary>tdx_track before 6.16: TDH.MEM.TRACK as long as it is busy (facts/retry-proposals.md, bug 1).</summary>
    public static HostAction TrackForever(HostLeaf leaf) => Call(HostProgram.Named("tdx_track, endless", "tdx.c, series of 2024-09")
        .State("track", Seamcall(leaf))
            .On(Busy, "track").Noted("TDH.MEM.TRACK is repeated")
            .Otherwise(HostProgram.ReturnStatus)
        .Build());

    /// <summary>Repeats while the status is exactly TDX_OPERAND_BUSY | SEPT (0x92), for ever.</summary>
    public static HostAction Forever(HostLeaf leaf, int level) => Call(HostProgram.Named($"seamcall_sept({leaf.Name()})", "tdx_ops.h, v8 of the series, 2022")
        .State("call", Seamcall(leaf, level))
            .On(BusyOn(OperandId.SEPT_TREE), "call").Noted($"the wrapper repeats {leaf.Name()}")
            .Otherwise(HostProgram.ReturnStatus)
        .Build());

    /// <summary>The same, bounded.</summary>
    public static HostAction Bounded(HostLeaf leaf, int level) => Call(HostProgram.Named($"tdx_seamcall_sept({leaf.Name()})", "tdx_ops.h, series of 2024-09")
        .State("begin", SetCounter("retries")).Next("call")
        .State("call", Seamcall(leaf, level))
            .On(BusyOn(OperandId.SEPT_TREE), "again")
            .Otherwise(HostProgram.ReturnStatus)
        .State("again", CountBelow("retries", Repeats))
            .On(Yes, "call").Noted($"the wrapper repeats {leaf.Name()}")
            .On(No, HostProgram.ReturnStatus).Noted($"the wrapper gives {leaf.Name()} up")
        .Build());
}
