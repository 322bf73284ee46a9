using TdxVerify.Abi;
using TdxVerify.Properties.Generation;

namespace TdxVerify.Properties.Sweeps;

/// <summary>TDH.MNG.INIT with TD_PARAMS in which one thing is wrong, or two: they show which error wins.</summary>
internal static class ParameterSweep
{
    private const int NumL2Vms = 18;

    private static readonly byte[] s_manyVcpus = [0x41, 2];

    // Bytes of TD_PARAMS (facts/profile-1.5.05.md) and values that are wrong there.
    private static readonly (int Offset, byte[] Bytes)[] s_wrong =
    [
        (5, [1]), // ATTRIBUTES
        (8, [0]), (13, [1]), // XFAM
        (16, [0, 0]), (16, s_manyVcpus), // MAX_VCPUS
        (NumL2Vms, [1]), (NumL2Vms, [3]), (NumL2Vms, [4]),
        (19, [2]), // MSR control: bit 0 is legal and not modelled
        (20, [1]), (23, [0x80]), // reserved
        (24, [0x16]), (24, [0x18]), (31, [1]), // EPTP controls
        (32, [1]), (39, [1]), // CONFIG_FLAGS: GPAW with 4 levels, an illegal one
        (40, [3, 0]), (40, [0x91, 1]), // TSC frequency: 3, 401
        (42, [1]), (79, [1]), // reserved
        (224, [1]), (231, [1]), // IA32_ARCH_CAPABILITIES
        (232, [1]), (255, [1]), // reserved
        (448, [0x20]), (457, [1]), (543, [1]), // CPUID 0x1F in 1.5.05: an illegal bit, no core level, an illegal bit
        (544, [1]), (1023, [0x80]), // reserved
    ];

    /// <summary>The sequence.</summary>
    public static void Run(SweepRunner run)
    {
        SweepStage stage = SweepStage.Set(run, with1G: false, withMergeable: false);
        foreach (ulong tdr in (ulong[])[stage.Complete, stage.Full])
        {
            for (int first = 0; first < s_wrong.Length; first++)
            {
                for (int second = first; second < s_wrong.Length; second++)
                    Init(run, tdr, s_wrong[first], s_wrong[second], tdr == stage.Full);
            }
        }
    }

    private static void Init(SweepRunner run, ulong tdr, (int Offset, byte[] Bytes) first, (int Offset, byte[] Bytes) second, bool hasL2Pages)
    {
        // A TD with L2 VMs is not modelled.
        if (hasL2Pages && first.Offset == NumL2Vms && second.Offset == NumL2Vms)
            return;

        // 1.5.01 has no limit on MAX_VCPUS.
        if (run.Platform.Profile == ModuleProfile.V1_5_01 && (first.Bytes == s_manyVcpus || second.Bytes == s_manyVcpus))
            return;
        byte[] image = TdParamsImage.Build(septVeDisable: false, fiveLevels: false, wideGpa: false, maxVcpus: 8, illegal: -1, mayNameL2Vms: false);
        first.Bytes.CopyTo(image, first.Offset);
        second.Bytes.CopyTo(image, second.Offset);
        ulong parameters = Scope.ParametersAddress(run.Platform);
        run.Write(parameters, image);
        RegisterFile registers = SweepRunner.Registers(HostLeaf.TDH_MNG_INIT, tdr, parameters);
        if (first == second)
            run.Call(registers, choice: ChoicePoint.TscAdjustChanged);
        if (!run.Call(registers).IsError)
            throw new InvalidOperationException($"TD_PARAMS with wrong bytes at {first.Offset} and {second.Offset} were accepted");
    }
}
