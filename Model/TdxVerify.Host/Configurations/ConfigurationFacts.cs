using TdxVerify.Abi;

namespace TdxVerify.Host;

/// <summary>What is settled for all states of a configuration by what its agents and guests can do at all.</summary>
internal static class ConfigurationFacts
{
    private static readonly HostLeaf[] s_mapNothing =
    [
        HostLeaf.TDH_VP_ENTER, HostLeaf.TDH_MEM_PAGE_AUG, HostLeaf.TDH_MEM_PAGE_REMOVE, HostLeaf.TDH_MEM_RANGE_BLOCK, HostLeaf.TDH_MEM_RANGE_UNBLOCK, HostLeaf.TDH_MEM_TRACK,
    ];

    /// <summary>The SEAMCALLs of an agent.</summary>
    public static IEnumerable<SeamcallAction> Seamcalls(this HostAgent agent) =>
        agent.Program.WithCalled().SelectMany(program => program.States).Select(state => state.Action).OfType<SeamcallAction>();

    /// <summary>Some guest makes TDCALLs, which take locks of S-EPT entries and change them.</summary>
    public static bool MakesTdcalls(this Configuration configuration) => Enumerable.Range(0, configuration.Td.Vcpus)
        .SelectMany(vcpu => configuration.GuestOf(vcpu).Instructions).Any(instruction => instruction.Op.Kind == GuestInstructionKind.Tdcall);

    /// <summary>All S-EPT pages are there for good, and the calls only run vCPUs, map 4 KiB pages and zap them.</summary>
    public static bool OnlyMapsAndZaps(this Configuration configuration) => configuration.Td.IsFinalized
        && configuration.Td.Gpas.All(gpa => gpa is { Level: SeptLevel.Page4K, HasTable: true })
        && configuration.Agents.SelectMany(Seamcalls).All(call => call.Level == SeptLevel.Page4K && s_mapNothing.Contains(call.Leaf));

    /// <summary>No page is ever mapped: none is at the start, and nobody accepts what the host adds. So no processor can translate to one.</summary>
    public static bool MapsNothing(this Configuration configuration) => configuration.OnlyMapsAndZaps() && !configuration.MakesTdcalls()
        && configuration.Td.Gpas.All(gpa => gpa.Start is not (GpaStart.Mapped or GpaStart.Blocked));
}
