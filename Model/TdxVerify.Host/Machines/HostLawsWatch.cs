using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Host;

/// <summary>Laws that are looked at after each step, by reading shared state; no outcome depends on them.</summary>
/// <param name="machine">The machine.</param>
/// <param name="stale">What processors may still translate.</param>
internal sealed class HostLawsWatch(HostMachine machine, StaleTranslations stale)
{
    private readonly bool _mirror = machine.Configuration.Laws.HasFlag(HostLaws.MirrorAgrees);

    /// <summary>Looks at what the step did.</summary>
    public void Look(ref HostStep at)
    {
        foreach (int page in at.Worker.Cells.HandedBack)
        {
            if (stale.IsExposed(at.Cells, page))
                at.Report(machine.EventOf(HostEvents.PageExposed));
        }

        if (_mirror && at.Worker.Cells.MirrorWritten && !MirrorAgrees(at))
            at.Report(machine.EventOf(HostEvents.MirrorDisagrees));
    }

    private bool MirrorAgrees(in HostStep at)
    {
        if (LockQueue.IsWriteHeld(at.Cells.Read(HostCells.Of(HostCell.Lock, machine.LockOf(KernelLocks.MmuLock)))))
            return true;
        for (int gpa = 0; gpa < machine.Configuration.Td.Gpas.Length; gpa++)
        {
            ulong spte = at.Cells.Read(machine.SpteCell(gpa, machine.Configuration.Td.Gpas[gpa].Level));
            if (spte != MirrorSpte.Frozen && !Agree(spte, EntryOf(at, gpa)))
                return false;
        }

        return true;
    }

    private static bool Agree(ulong spte, SeptEntry entry) => entry.State switch
    {
        SeptState.MAPPED or SeptState.PENDING => spte == MirrorSpte.Present(entry.Target),
        SeptState.FREE => spte == MirrorSpte.None,
        _ => false,
    };

    // Where the walk ends above the level, nothing is mapped.
    private SeptEntry EntryOf(in HostStep at, int gpa)
    {
        ICells cells = at.Cells;
        int level = (int)cells.Read(Cell.Td(TdPages.Tdr, TdField.RootLevel));
        int table = (int)cells.Read(Cell.Td(TdPages.Tdr, TdField.RootTable));
        while (true)
        {
            var entry = new SeptEntry(cells.Read(Cell.Entry(new EntryRef(table, SeptLevel.Index(machine.Pages.Gpa(gpa), level)))));
            if (level == machine.Configuration.Td.Gpas[gpa].Level)
                return entry;
            if (entry.State is not (SeptState.NL_MAPPED or SeptState.NL_BLOCKED))
                return default;
            table = entry.Target;
            level--;
        }
    }
}
