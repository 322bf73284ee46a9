using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Host;

/// <summary>The renamings of a configuration, carried out on cells, values and threads.</summary>
public sealed class HostSymmetry : ISymmetry<Thread>
{
    private readonly HostMachine _machine;
    private readonly Renaming[] _renamings;

    /// <summary>The renamings that map the machine's configuration to itself.</summary>
    public HostSymmetry(HostMachine machine)
    {
        _machine = machine;
        _renamings = [.. RenamingSearch.Of(machine.Configuration, machine.LpCount)];
    }

    /// <inheritdoc/>
    public int Count => _renamings.Length;

    private TdPages Pages => _machine.Pages;

    /// <inheritdoc/>
    public int Rename(int renaming, int agent) => _renamings[renaming].Agent(agent);

    /// <inheritdoc/>
    public Cell Rename(int renaming, Cell cell)
    {
        Renaming to = _renamings[renaming];
        return cell.Kind switch
        {
            ChangeKind.Pamt when cell.Position >> 4 == 0 => new Cell(cell.Kind, Page(to, cell.Object), cell.Position),
            ChangeKind.Vcpu or ChangeKind.FaultingGpa => new Cell(cell.Kind, Page(to, cell.Object), cell.Position),
            ChangeKind.Guest => new Cell(cell.Kind, to.Vcpu(cell.Object), cell.Position),
            ChangeKind.Lp or ChangeKind.StaleTranslation => new Cell(cell.Kind, to.Lp(cell.Object), cell.Position),
            ChangeKind.X2ApicId => new Cell(cell.Kind, cell.Object, to.Vcpu(cell.Position)),
            ChangeKind.Entry => Cell.Entry(Entry(to, new EntryRef(cell.Object, cell.Position))),
            ChangeKind.Holders => LockLaws.HoldersOf(Rename(renaming, LockLaws.LockOf(cell))),
            ChangeKind.Host => HostCells.Of((HostCell)cell.Object, Number(to, (HostCell)cell.Object, cell.Position)),
            _ => cell,
        };
    }

    /// <inheritdoc/>
    public ulong Rename(int renaming, Cell cell, ulong value)
    {
        Renaming to = _renamings[renaming];
        return cell.Kind switch
        {
            ChangeKind.Entry => Entry(to, new SeptEntry(value)).Word,
            ChangeKind.Vcpu => VcpuField(to, (VcpuField)cell.Position, value),
            ChangeKind.Lp when (LpField)cell.Position is LpField.LastVcpu or LpField.RunningVcpu => value == 0 ? 0 : (ulong)Page(to, (int)value - 1) + 1,
            ChangeKind.FaultingGpa => Address(to, value),
            ChangeKind.X2ApicId => (ulong)to.Vcpu((int)value),
            ChangeKind.StaleTranslation => Renaming.Bits(value, bit => Watched(to, bit)),
            ChangeKind.Holders => LockLaws.Rename(value, to.Agent),
            ChangeKind.Host => HostValue(to, (HostCell)cell.Object, value),
            _ => value,
        };
    }

    /// <inheritdoc/>
    public void Rename(int renaming, ref Thread local)
    {
        Renaming to = _renamings[renaming];
        if (local.State == HostMachine.Finished)
            return;
        HostAction action = _machine.StateOf(local)!.Action;
        local.Part = action switch
        {
            KickAction => KickAction.Rename(local.Part, to.Vcpu, to.Lp),
            SmpCallBeginAction when local.Part != 0 => (ushort)(to.Lp(local.Part - 1) + 1),
            _ => local.Part,
        };
        local.KickedVcpus = (byte)Renaming.Bits(local.KickedVcpus, to.Vcpu);
        local.KickMask = (byte)Renaming.Bits(local.KickMask, to.Lp);
        local.SentMask = (byte)Renaming.Bits(local.SentMask, to.Lp);
        local.Page = (ushort)Page(to, local.Page);
        local.Gpa = (byte)to.Gpa(local.Gpa);
        local.Lp = (byte)to.Lp(local.Lp);
        local.HomeLp = (byte)(local.HomeLp == 0 ? 0 : to.Lp(local.HomeLp - 1) + 1);
        if (local.Agent.Phase != AgentPhase.Idle)
            Rename(to, ref local.Agent);
    }

    private void Rename(Renaming to, ref Agent agent)
    {
        ref Call call = ref agent.Call;
        Rename(to, ref call.In);
        Rename(to, ref call.Out);
        Rename(to, ref agent.Answer);
        for (int slot = 0; slot < 4; slot++)
        {
            call.Address[slot] = Address(to, call.Address[slot]);
            call.Page[slot] = Page(to, call.Page[slot]);
        }

        call.Entry = Entry(to, call.Entry);
        call.Value = Entry(to, call.Value);
        call.Gpa = Address(to, call.Gpa);
        call.Vcpu = Page(to, call.Vcpu);
        call.Lp = to.Lp(call.Lp);
    }

    private void Rename(Renaming to, ref RegisterFile registers)
    {
        foreach (Register register in RegisterFile.All)
            registers[register] = Address(to, registers[register]);
    }

    private static ulong VcpuField(Renaming to, VcpuField field, ulong value) => field switch
    {
        Model.VcpuField.AssociatedLp => value == 0 ? 0 : (ulong)to.Lp((int)value - 1) + 1,
        Model.VcpuField.Index => (ulong)to.Vcpu((int)value),
        _ => value,
    };

    private int Number(Renaming to, HostCell kind, int number) => kind switch
    {
        HostCell.Irq or HostCell.PendingIpis => to.Lp(number),
        HostCell.Mode or HostCell.Requests or HostCell.VcpuCpu => to.Vcpu(number),
        HostCell.Spte when HostCells.IsLeafSpte(number) => HostCells.MoveSpte(number, to.Gpa),
        HostCell.Lock => _machine.RenameLock(number, to.Vcpu),
        _ => number,
    };

    private ulong HostValue(Renaming to, HostCell kind, ulong value) => kind switch
    {
        HostCell.Lock => LockQueue.Rename(value, to.Agent),
        HostCell.Srcu => Srcu.Rename(value, to.Agent),
        HostCell.PendingIpis => Interrupts.Rename(value, to.Agent),
        HostCell.InvalidateSnapshots => Renaming.Bits(value, to.Agent),
        HostCell.Invalidate => Invalidation.Rename(value, to.Gpa),
        HostCell.Spte when value >= MirrorSpte.FirstPresent => MirrorSpte.Present(Page(to, (int)(value - MirrorSpte.FirstPresent))),
        HostCell.VcpuCpu => value == 0 ? 0 : (ulong)to.Lp((int)value - 1) + 1,
        _ => value,
    };

    // A page belongs to a vCPU or to a GPA, or stays what it is.
    private int Page(Renaming to, int page)
    {
        if (TdPages.VcpuOf(page, _machine.Configuration.Td.Vcpus) is var vcpu and >= 0)
            return page - TdPages.Tdvpr(vcpu) + TdPages.Tdvpr(to.Vcpu(vcpu));
        for (int gpa = 0; gpa < to.Gpas.Length; gpa++)
        {
            if (Pages.PageOf(gpa) == page)
                return Pages.PageOf(to.Gpa(gpa));
        }

        return page;
    }

    private int Watched(Renaming to, int bit)
    {
        IReadOnlyList<int> pages = _machine.Stale.Pages;
        int page = Page(to, pages[bit]);
        for (int other = 0; other < pages.Count; other++)
        {
            if (pages[other] == page)
                return other;
        }

        return bit;
    }

    private EntryRef Entry(Renaming to, EntryRef at)
    {
        for (int gpa = 0; gpa < to.Gpas.Length; gpa++)
        {
            if (to.Gpa(gpa) != gpa && Pages.TableOf(gpa, SeptLevel.Page2M) == at.Table && SeptLevel.Index(Pages.Gpa(gpa), SeptLevel.Page4K) == at.Index)
                return at with { Index = SeptLevel.Index(Pages.Gpa(to.Gpa(gpa)), SeptLevel.Page4K) };
        }

        return at;
    }

    private SeptEntry Entry(Renaming to, SeptEntry entry) => entry.IsLeaf && Page(to, entry.Target) is var page && page != entry.Target
        ? new SeptEntry(entry.Word & 0xF_FFFF | SeptEntry.Of(SeptState.FREE, page).Word)
        : entry;

    // An address in a register or operand, whatever level, key id or flags are beside it.
    private ulong Address(Renaming to, ulong value)
    {
        ulong frame = value & Pages.FrameMask;
        if (Pages.PageAt(frame) is var page and >= 0)
            return (value & ~Pages.FrameMask) | Pages.Address(Page(to, page));
        return Pages.GpaAt(frame) is var gpa and >= 0 && to.Gpa(gpa) != gpa ? (value & ~Pages.FrameMask) | Pages.Gpa(to.Gpa(gpa)) : value;
    }
}
