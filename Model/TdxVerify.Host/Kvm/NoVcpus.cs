using TdxVerify.Abi;
using static TdxVerify.Host.Do;
using static TdxVerify.Host.When;

namespace TdxVerify.Host.Kvm;

/// <summary>
/// tdh_do_no_vcpus: a SEAMCALL that must not fail, tried again once while no vCPU can enter (facts/kvm.md, 0.5). 6.16
/// writes the same out at each of its callers (tdx_no_vcpus_enter_start and _stop).
/// </summary>
internal static class NoVcpus
{
    public static HostProgram Of(KvmRelease release, HostLeaf leaf, int level) =>
        HostProgram.Named($"tdh_do_no_vcpus({leaf.Name()})", release.In("tdx.c"))
            .State("N1", Seamcall(leaf, level))
                .On(Busy, "N2").Noted($"{leaf.Name()} is tried again without vCPUs")
                .Otherwise(HostProgram.ReturnStatus)
            .State("N2", Set(KvmVariables.WaitForSeptZap)).Next("N3")
            .State("N3", Kick()).Next("N4")
            .State("N4", Seamcall(leaf, level)).Whatever("N5")
            .State("N5", Clear(KvmVariables.WaitForSeptZap)).Next(HostProgram.ReturnStatus)
            .Build();
}
