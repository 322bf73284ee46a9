namespace TdxVerify.Host;

/// <summary>The named scenarios.</summary>
public static class ScenarioTable
{
    /// <summary>All, in the order in which they are listed.</summary>
    public static IReadOnlyList<Scenario> All { get; } =
    [
        TrackVsEnter.Scenario, EpochVcpus.Two, EpochVcpus.Stays, BlockTrackRemove.Scenario, BlockTrackRemove.TwoVcpus,
        ZeroStepVsMem.Aug, ZeroStepVsMem.Scenario, ZeroStepVsMem.Accepting, ZeroStepVsMem.Three, ZeroStepVsAug.Scenario, ZeroStepPending.One, ZeroStepPending.Rescued,
        AcceptVsHost.Aug, AcceptVsHost.StaleLeaf, AcceptVsHost.Remove, AcceptVsHost.ErasesHostPriority, AcceptVsHost.LeavesHostPriority, AcceptVsHost.Attributes,
        AcceptVsHost.ExitAfterAccept, DemoteVsAccept.Scenario, FaultIn.Four,
        HostVsHost.AugVsRemove, HostVsHost.AugVsRelocate, HostVsHost.ExtendVsVpCreate, HostVsHost.VpInitVsRemove,
    ];

    /// <summary>The scenario with a name; null: there is none.</summary>
    public static Scenario? Find(string name) => All.FirstOrDefault(scenario => scenario.Name == name);
}
