using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Properties.Sweeps;

/// <summary>All sweeps.</summary>
internal static class SweepCatalogue
{
    /// <summary>The sweeps of a set of leaves: each leaf with its faults, then the scripts.</summary>
    public static IEnumerable<ISweep> Of(LeafSet<ObservedState> leaves) =>
    [
        .. LeafNames.ModelledHost.Select(leaf => new FaultSweep(leaves, leaf)),
        new ScriptedSweep("pages inside a 2 MiB page", LargePageSweep.Inside2M),
        new ScriptedSweep("pages inside a 1 GiB page", LargePageSweep.Inside1G),
        new ScriptedSweep("TD_PARAMS", ParameterSweep.Run),
        new ScriptedSweep("metadata fields", MetadataSweep.Run),
        new ScriptedSweep("TDCALLs", GuestSweep.Operands),
        new ScriptedSweep("zero-step", GuestSweep.ZeroStep),
        new ScriptedSweep("pages used again", ReuseSweep.Pages),
        new ScriptedSweep("a vCPU too many", ReuseSweep.VcpuCount),
        new ScriptedSweep("a table with a locked entry", ReuseSweep.LockedChild),
        .. RefusedCalls.All,
    ];
}
