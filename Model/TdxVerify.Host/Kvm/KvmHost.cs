using System.Collections.Immutable;
using TdxVerify.Abi;
using static TdxVerify.Host.Do;

namespace TdxVerify.Host.Kvm;

/// <summary>KVM as a host: all its paths, made of the same parts.</summary>
public static class KvmHost
{
    /// <summary>KVM of a release, or with parts that a proposal makes differently.</summary>
    public static HostPrograms Of(KvmParts parts)
    {
        KvmRelease release = parts.Release;
        Func<HostLeaf, int, HostAction> noFail = Once(parts.NoFailCall ?? ((leaf, level) => Call(NoVcpus.Of(release, leaf, level))));
        parts = parts with { MapCall = Once(parts.MapCall) };
        HostProgram map = parts.Map ?? MapPage.Of(parts, HostLeaf.TDH_MEM_PAGE_AUG);
        HostProgram fault = FaultPath.Of(release, map);
        HostProgram violation = parts.EptViolation?.Invoke(fault) ?? EptViolationHandler.Of(release, parts.LocalRetry, fault);
        HostProgram pending = parts.PendingViolation ?? EptViolationHandler.Pending(release);
        HostProgram enter = parts.EnterGuest ?? VcpuEnterGuest.Of(release);
        HostProgram zap = ZapLeafs.Of(release, parts.RemovePage ?? RemovePage.Of(release, noFail));
        HostProgram flush = FlushVcpu.OnItsProcessor(release);
        HostProgram split = HugePage.Split(noFail);
        HostProgram hugeFault = FaultPath.Of(release, HugePage.Map(parts));
        HostProgram premap = release == KvmRelease.V6_16 ? MapPage.Recorded(parts) : MapPage.Of(parts, HostLeaf.TDH_MEM_PAGE_ADD);
        return new HostPrograms(new Dictionary<HostPath, HostProgram>
        {
            [HostPath.RunVcpu] = VcpuRun.Of(release, enter, violation, violation, pending),
            [HostPath.RunMigratingVcpu] = VcpuRun.OfMigrating(release, enter, violation, pending, flush),
            [HostPath.RunVcpuWithHugePages] = VcpuRun.Of(
                release, enter, EptViolationHandler.Of(release, parts.LocalRetry, hugeFault), HugePage.AcceptViolation(split, fault), pending),
            [HostPath.PunchHole] = ZapCallers.PunchHole(release, zap),
            [HostPath.ConvertToShared] = ZapCallers.ConvertToShared(release, zap),
            [HostPath.DeleteMemslot] = ZapCallers.DeleteMemslot(release, zap),
            [HostPath.MmuNotifier] = ZapCallers.MmuNotifier(release),
            [HostPath.Prefault] = Prefault.Of(release, fault),
            [HostPath.InitMemRegion] = BuildTd.InitMemRegion(release, premap),
            [HostPath.InitVcpu] = BuildTd.InitVcpu(release),
            [HostPath.FinalizeVm] = BuildTd.FinalizeVm(release),
            [HostPath.GetCpuid] = BuildTd.GetCpuid(release),
            [HostPath.SplitHugePage] = HugePage.SplitForConversion(split),
            [HostPath.OfflineProcessor] = FlushVcpu.Offline(release, flush),
            [HostPath.DestroyVm] = Teardown.Of(release, zap, flush),
            [HostPath.DeviceInterrupts] = DeviceInterrupts(),
        }.ToImmutableDictionary());
    }

    private static HostProgram DeviceInterrupts() => HostProgram.Named("a device's interrupts", "the surroundings")
        .State("raise", SetHostInterrupt(true)).Next("serve")
        .State("serve", SetHostInterrupt(false)).Next(HostProgram.Done)
        .Build();

    // The same call is the same action everywhere, and so the program behind it exists once.
    private static Func<HostLeaf, int, HostAction> Once(Func<HostLeaf, int, HostAction> make)
    {
        Dictionary<(HostLeaf, int), HostAction> made = [];
        return (leaf, level) =>
        {
            if (!made.TryGetValue((leaf, level), out HostAction? action))
                made.Add((leaf, level), action = make(leaf, level));
            return action;
        };
    }
}
