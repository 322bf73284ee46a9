using System.Collections.Immutable;
using TdxVerify.Abi;
using TdxVerify.Host.Kvm;
using TdxVerify.Host.Proposals;
using static TdxVerify.Host.Do;
using static TdxVerify.Host.When;

namespace TdxVerify.Host.Field;

/// <summary>
/// What the lock maps of the two baselines show and no list names, confirmed in systems that are as small as it allows
/// (Properties/README.md, "Findings").
/// </summary>
public static class LockFindings
{
    private const string Associated =
        "MR.FINALIZE holds the TDR exclusively, VP.FLUSH is busy as the processor goes offline, nobody looks at that, and the vCPU cannot enter elsewhere";

    private const string AcrossFinalize = "the module has finalized the TD when KVM does not say so yet, or does it after the zap looked, and the zap skips TDH.MEM.TRACK: PAGE.REMOVE fails with "
        + "TDX_TLB_TRACKING_NOT_DONE, which no retry helps against: BUG. BUSY is repeated here, so it is not the cause";

    private static readonly HostPrograms s_6_16 = KvmHost.Of(new KvmParts { Release = KvmRelease.V6_16 });
    private static readonly HostPrograms s_6_19 = KvmHost.Of(new KvmParts());

    // Repeats what is busy, so that nothing goes wrong for that reason.
    private static readonly HostPrograms s_patient_6_16 = Patient(KvmRelease.V6_16);
    private static readonly HostPrograms s_patient_6_19 = Patient(KvmRelease.V6_19);

    private static readonly StandardConfiguration s_initAgainstOffline = Building("init-against-offline", Once("creator", HostPath.InitVcpu, 1, 1), Offline);
    private static readonly StandardConfiguration s_extendAgainstOffline = Building("extend-against-offline", Once("adder", HostPath.InitMemRegion, 1, 0), Offline);
    private static readonly StandardConfiguration s_initAgainstCpuid =
        Building("init-against-cpuid", Once("creator", HostPath.InitVcpu, 1, 1), Once("reader", HostPath.GetCpuid, 0, 0));

    private static readonly StandardConfiguration s_initAgainstFlush =
        Building("init-against-flush", Once("creator", HostPath.InitVcpu, 2, 1), Once("vCPU 0", HostPath.RunMigratingVcpu, 0, 0));

    // A host BUG is not the point here, and would end the search.
    private static readonly StandardConfiguration s_finalizeAgainstOffline =
        Building("finalize-against-offline", Once("finalizer", HostPath.FinalizeVm, 3, 1), Once("vCPU 0", HostPath.RunMigratingVcpu, 0, 0), Offline) with { Laws = HostLaws.Always };

    /// <summary>All.</summary>
    public static ImmutableArray<LockFinding> All { get; } =
    [
        new("bad_init_against_offline", KvmRelease.V6_19, "a processor goes offline, VP.FLUSH of its vCPU holds the TDR shared, and VP.INIT of another vCPU is busy: BUG")
        {
            Configuration = s_initAgainstOffline.With("bad", s_6_19),
        },
        new("bad_extend_against_offline", KvmRelease.V6_19, "the same with MR.EXTEND in the place of VP.INIT: BUG")
        {
            Configuration = s_extendAgainstOffline.With("bad", s_6_19),
        },
        new("good_extend_against_offline", KvmRelease.V6_16, "an error of MR.EXTEND goes to user space")
        {
            Configuration = s_extendAgainstOffline.With("good", s_6_16),
        },
        new("bad_offline_leaves_vcpu_associated", KvmRelease.V6_19, Associated)
        {
            Configuration = s_finalizeAgainstOffline.With("bad", s_6_19),
            Shows = "KVM_EXIT_INTERNAL_ERROR",
        },
        new("bad_offline_leaves_vcpu_associated", KvmRelease.V6_16, Associated)
        {
            Configuration = s_finalizeAgainstOffline.With("bad", s_6_16),
            Shows = "KVM_EXIT_INTERNAL_ERROR",
        },
        new("bad_zap_across_finalize", KvmRelease.V6_19, AcrossFinalize)
        {
            Configuration = FieldSystems.FinalizeAgainstZap.With("bad", s_patient_6_19),
        },
        new("bad_zap_across_finalize", KvmRelease.V6_16, AcrossFinalize)
        {
            Configuration = FieldSystems.FinalizeAgainstZap.With("bad", s_patient_6_16),
        },
        new("good_zap_across_finalize", KvmRelease.V6_19, "mmu_lock for write around MR.FINALIZE")
        {
            Configuration = FieldSystems.FinalizeAgainstZap.With("good", s_patient_6_19.With(HostPath.FinalizeVm, BuildTd.FinalizeVm(KvmRelease.V6_19, locksFinalize: true))),
        },
        new("bad_init_against_cpuid", KvmRelease.V6_16, "GET_CPUID of one vCPU holds the TDR shared, VP.INIT of another is busy: BUG")
        {
            Configuration = s_initAgainstCpuid.With("bad", s_6_16),
        },
        new("good_init_against_cpuid", KvmRelease.V6_19, "INIT_VCPU holds the mutex of every vCPU")
        {
            Configuration = s_initAgainstCpuid.With("good", s_6_19),
        },
        new("bad_init_against_flush", KvmRelease.V6_16, "the scheduler moves a vCPU's thread, VP.FLUSH holds the TDR shared, and VP.INIT of another vCPU is busy: BUG")
        {
            Configuration = s_initAgainstFlush.With("bad", s_6_16),
        },
        new("good_init_against_flush", KvmRelease.V6_19, "INIT_VCPU holds the mutex of every vCPU")
        {
            Configuration = s_initAgainstFlush.With("good", s_6_19),
        },
    ];

    private static HostPrograms Patient(KvmRelease release) =>
        KvmHost.Of(new KvmParts { Release = release, NoFailCall = (leaf, level) => Call(Repeated(leaf, level)) });

    private static HostProgram Repeated(HostLeaf leaf, int level) => HostProgram.Named($"{leaf.Name()}, repeated while busy")
        .State("call", Seamcall(leaf, level))
            .On(Busy, "call")
            .Otherwise(HostProgram.ReturnStatus)
        .Build();

    private static HostRole Offline => Once("offline", HostPath.OfflineProcessor, 2, 0);

    private static HostRole Once(string name, HostPath path, int lp, int vcpu) => new(name, path) { Lp = lp, Vcpu = vcpu, Gpas = [0], Repeat = 1 };

    // vCPU 0 is initialised, on processor 0; vCPU 1 is not.
    private static StandardConfiguration Building(string name, params ImmutableArray<HostRole> roles) => new(name, "")
    {
        Td = new TdLayout { Vcpus = 2, InitialisedVcpus = 1, IsFinalized = false, SeptVeDisable = false },
        Roles = roles,
        Laws = HostLaws.NoHostBug,
    };
}
