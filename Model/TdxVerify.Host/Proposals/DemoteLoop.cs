using TdxVerify.Abi;
using TdxVerify.Host.Kvm;
using static TdxVerify.Host.Do;
using static TdxVerify.Host.When;

namespace TdxVerify.Host.Proposals;

/// <summary>P10: TDH.MEM.PAGE.DEMOTE is repeated while an interrupt makes it restart.</summary>
public static class DemoteLoop
{
    /// <summary>The proposal.</summary>
    public static Proposal Proposal { get; } = new("demote-loop")
    {
        Author = "Yan Zhao",
        Date = "2025-08",
        Claim = "TDX_INTERRUPTED_RESTARTABLE ends when no interrupt is pending, so the call is repeated.",
        Objection = "There is no bound on the retries: a storm of interrupts denies service, and NMIs defeat switching interrupts off.",
        Host = KvmHost.Of(new KvmParts
        {
            NoFailCall = (leaf, level) => Call(leaf == HostLeaf.TDH_MEM_PAGE_DEMOTE ? Demote(level) : NoVcpus.Of(KvmRelease.V6_19, leaf, level)),
        }),
    };

    private static HostProgram Demote(int level) => HostProgram.Named("tdh_mem_page_demote, repeated", "tdx.c, RFC v2 of 2025-08")
        .State("demote", Seamcall(HostLeaf.TDH_MEM_PAGE_DEMOTE, level))
            .On(Class(Status.TDX_INTERRUPTED_RESTARTABLE), "demote").Noted("DEMOTE is restarted")
            .On(Busy, "without vCPUs")
            .Otherwise(HostProgram.ReturnStatus)
        .State("without vCPUs", Call(NoVcpus.Of(KvmRelease.V6_19, HostLeaf.TDH_MEM_PAGE_DEMOTE, level)))
            .On(Class(Status.TDX_INTERRUPTED_RESTARTABLE), "demote")
            .Otherwise(HostProgram.ReturnStatus)
        .Build();
}
