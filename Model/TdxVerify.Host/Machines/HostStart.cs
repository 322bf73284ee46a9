using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Host;

/// <summary>The start of a configuration: the module as the set-up left it, and the host beside it.</summary>
/// <param name="Module">The module's state.</param>
/// <param name="Cells">All cells.</param>
/// <param name="Stale">The observer of stale translations.</param>
internal sealed record HostStart(CellState Module, StoredCells Cells, StaleTranslations Stale)
{
    public static HostStart Of(HostMachine machine, PlatformInfo platform)
    {
        Configuration configuration = machine.Configuration;
        CellState module = TdSetup.Run(configuration, platform, machine.Pages, machine.Leaves);
        var cells = (StoredCells)module.Cells;
        EpochAges.Begin(cells, TdPages.Tdr);
        module.OldestEpoch = EpochAges.Older;
        IEnumerable<int> gpas = Enumerable.Range(0, configuration.Td.Gpas.Length);
        var stale = new StaleTranslations(
            machine.LpCount, [.. gpas.Select(machine.Pages.PageOf), .. gpas.Select(gpa => machine.Pages.TableOf(gpa, SeptLevel.Page2M)), TdPages.Spare(0)]);
        module.Stale = stale;
        module.DropsHostPriority = configuration.ForgetsUnread && !configuration.MakesTdcalls();
        AddGuests(configuration, cells);
        AddMirror(machine, cells);
        for (int vcpu = 0; vcpu < (configuration.Td.InitialisedVcpus ?? configuration.Td.Vcpus); vcpu++)
            cells.Write(HostCells.Of(HostCell.VcpuCpu, vcpu), (ulong)vcpu + 1);
        foreach (HostAgent agent in configuration.Agents.Where(agent => Enters(agent)))
            cells.Write(HostCells.Of(HostCell.VcpuCpu, agent.OwnVcpu), (ulong)(agent.StartsOn ?? agent.Lp) + 1);
        foreach ((string name, ulong value) in configuration.Variables)
        {
            int number = machine.VariableOf(name);
            if (number < 0)
                throw new ProgramException($"{configuration.Name}: no program uses variable {name}.");
            cells.Write(HostCells.Of(HostCell.Variable, number), value);
        }

        return new HostStart(module, cells, stale);
    }

    private static bool Enters(HostAgent agent) =>
        agent.Program.WithCalled().SelectMany(program => program.States).Any(state => state.Action is SeamcallAction { Leaf: HostLeaf.TDH_VP_ENTER });

    private static void AddGuests(Configuration configuration, StoredCells cells)
    {
        for (int vcpu = 0; vcpu < (configuration.Td.InitialisedVcpus ?? configuration.Td.Vcpus); vcpu++)
            cells.Write(Cell.Vcpu(TdPages.Tdvpr(vcpu), VcpuField.Rip), configuration.GuestOf(vcpu).Instructions[0].Rip);
    }

    private static void AddMirror(HostMachine machine, StoredCells cells)
    {
        TdLayout td = machine.Configuration.Td;
        for (int gpa = 0; gpa < td.Gpas.Length; gpa++)
        {
            if (td.Gpas[gpa].Start is GpaStart.Mapped or GpaStart.Pending)
                cells.Write(machine.SpteCell(gpa, td.Gpas[gpa].Level), MirrorSpte.Present(machine.Pages.PageOf(gpa)));
            if (td.Gpas[gpa] is { Level: SeptLevel.Page4K, HasTable: true })
                cells.Write(machine.SpteCell(gpa, SeptLevel.Page2M), MirrorSpte.Present(machine.Pages.TableOf(gpa, SeptLevel.Page2M)));
        }
    }
}
