using TdxVerify.Abi;
using TdxVerify.Properties.Generation;

namespace TdxVerify.Properties.Sweeps;

/// <summary>TDH.MNG.RD and TDH.VP.RD of fields that are known, unknown, not readable, and of illegal field ids.</summary>
internal static class MetadataSweep
{
    private const ulong Reserved = 1UL << 62;

    // A class that no context knows.
    private const ulong Unknown = 0x3FUL << 56;

    // TDR class 2, code 2; TDVPS class 0x20, code 0, which only the host of a debug TD may read.
    private const ulong TdNotReadable = (2UL << 56) | 2;
    private const ulong VcpuNotReadable = 0x20UL << 56;

    /// <summary>The sequence.</summary>
    public static void Run(SweepRunner run)
    {
        SweepStage stage = SweepStage.Set(run, with1G: false, withMergeable: false);
        foreach (ulong field in (ulong[])[Scope.TdFields[0], TdNotReadable, Unknown])
        {
            foreach (ulong reserved in (ulong[])[0, Reserved])
                run.Call(SweepRunner.Registers(HostLeaf.TDH_MNG_RD, stage.Running.Tdr, field | reserved));
        }

        foreach (ulong field in (ulong[])[Scope.VcpuFields[0], VcpuNotReadable, Unknown])
        {
            foreach (ulong reserved in (ulong[])[0, Reserved])
                run.Call(SweepRunner.Registers(HostLeaf.TDH_VP_RD, stage.Running.ReadyVcpu, field | reserved));
        }
    }
}
