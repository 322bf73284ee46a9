using TdxVerify.Abi;
using TdxVerify.Host.Kvm;
using static TdxVerify.Host.Do;
using static TdxVerify.Host.When;

namespace TdxVerify.Host.Proposals;

/// <summary>
/// P5: PAGE.ADD fails; SEPT.ADD and AUG are tried again on the spot; BLOCK, TRACK and REMOVE are tried once more while
/// a request that nobody consumes keeps each vCPU out.
/// </summary>
public static class ThreeGroups
{
    private const string NoEntry = "KVM_REQ_NO_VCPU_ENTER_INPROGRESS";
    private const string From = "tdx.c, RFC of 2024-11-21";

    /// <summary>The proposal.</summary>
    public static Proposal Proposal { get; } = new("three-groups")
    {
        Author = "Yan Zhao",
        Date = "2024-11-21",
        Subject = "[RFC PATCH 0/2] SEPT SEAMCALL retry proposal",
        Claim = "Each group of calls gets what it needs: paths that must not fail do not, and no lock is added.",
        Objection = "A common pause request was wanted instead; with many users that needs a counter.",
        Host = KvmHost.Of(new KvmParts { Release = KvmRelease.V6_16, NoFailCall = (leaf, level) => Call(NoFail(leaf, level)) }),
    };

    private static HostProgram NoFail(HostLeaf leaf, int level) => HostProgram.Named($"{leaf.Name()}, no vCPU enters", From)
        .State("call", Seamcall(leaf, level))
            .On(Busy, "no entry").Noted($"{leaf.Name()} is tried again without vCPUs")
            .Otherwise(HostProgram.ReturnStatus)
        .State("no entry", Kick(NoEntry)).Next("again")
        .State("again", Seamcall(leaf, level)).Whatever("entry")
        .State("entry", ClearRequestOfAll(NoEntry)).Next(HostProgram.ReturnStatus)
        .Build();
}
