using TdxVerify.Abi;
using TdxVerify.Host.Kvm;
using static TdxVerify.Host.Do;
using static TdxVerify.Host.When;

namespace TdxVerify.Host.Proposals;

/// <summary>P0: the wrapper loops while the S-EPT tree is busy; TRACK loops in its caller.</summary>
public static class RetryForever
{
    /// <summary>The proposal.</summary>
    public static Proposal Proposal { get; } = new("retry-forever")
    {
        Author = "Yuan Yao",
        Date = "2022-08",
        Subject = "KVM: TDX: Retry seamcall when TDX_OPERAND_BUSY with operand SEPT (v8, 084/103)",
        Claim = "TDX_OPERAND_BUSY | SEPT is rare, and a spinlock cannot cover TDH.VP.ENTER: repeat the call until it is through.",
        Objection = "The loop has no bound.",
        Host = KvmHost.Of(new KvmParts
        {
            MapCall = RetryWrappers.Forever,
            MapRetries = BusyOn(OperandId.SEPT_TREE),
            NoFailCall = (leaf, level) => leaf == HostLeaf.TDH_MEM_TRACK ? Call(Track()) : RetryWrappers.Forever(leaf, level),
            LocalRetry = LocalRetry.Never,
        }),
    };

    // Kicked vCPUs wait outside of the guest until TRACK is through; here they bail out before the entry.
    private static HostProgram Track() => HostProgram.Named("tdx_track", "tdx.c, v8 of the series, 2022")
        .State("wait", Set(KvmVariables.WaitForSeptZap)).Next("kick")
        .State("kick", Kick()).Next("track")
        .State("track", Seamcall(HostLeaf.TDH_MEM_TRACK))
            .On(Busy, "track").Noted("TDH.MEM.TRACK is repeated")
            .Otherwise("go on")
        .State("go on", Clear(KvmVariables.WaitForSeptZap)).Next(HostProgram.ReturnStatus)
        .Build();
}
