namespace TdxVerify.Host;

/// <summary>The named scenarios.</summary>
public static class ScenarioTable
{
    /// <summary>All, in the order in which they are listed.</summary>
    public static IReadOnlyList<Scenario> All { get; } = [TrackVsEnter.Scenario, ZeroStepVsMem.Scenario, ZeroStepVsMem.ThreeVcpus, ZeroStepVsAug.Scenario];

    /// <summary>The scenario with a name; null: there is none.</summary>
    public static Scenario? Find(string name) => All.FirstOrDefault(scenario => scenario.Name == name);
}
