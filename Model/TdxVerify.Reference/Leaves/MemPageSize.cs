using TdxVerify.Abi;

namespace TdxVerify.Reference;

/// <summary>TDH.MEM.PAGE.PROMOTE and DEMOTE (facts/checks.md), for TDs without L2 VMs.</summary>
internal static unsafe class MemPageSize
{
    private const int Entries = 512;
    private const ulong TdHandleReserved = 0xFFF0_0000_0000_0FFE;
    private const ulong SparseL2 = 1;
    private const ulong NoPage = ulong.MaxValue;

    public static ulong Promote(TdxModule module, ulong version, ref RegisterFile registers)
    {
        ulong rcx = registers.Rcx;
        ulong rdx = registers.Rdx;
        registers.Rcx = 0;
        registers.Rdx = 0;
        if (version > 0)
        {
            registers.R9 = NoPage;
            registers.R10 = NoPage;
            registers.R11 = NoPage;
        }

        if (version > 1)
            return Answer.Invalid(OperandId.RAX);
        ulong status = HeldTd.Open(
            module, rdx, OperandId.RDX, LockMode.Shared, OpStates.PagePromote, out HeldTd td);
        if (status != Answer.Success)
            return status;
        status = HeldSeptEntry.Open(
            module, td, new PageInfo(rcx), SeptLevel.Page2M, SeptLevel.Page1G, LockMode.Shared, ref registers,
            out HeldSeptEntry parent);
        if (status == Answer.Success)
        {
            status = Promote(module, td, parent, ref registers);
            parent.ReleaseEntry();
            parent.ReleaseTree();
        }

        td.Release();
        return RestoreIfInterrupted(status, rcx, rdx, ref registers);
    }

    private static ulong Promote(
        TdxModule module, in HeldTd td, in HeldSeptEntry parent, ref RegisterFile registers)
    {
        if (!parent.State.Has(SeptTraits.PagePromote))
            return parent.Refuse(Status.TDX_EPT_ENTRY_STATE_INCORRECT, ref registers);
        ulong tableHpa = SeptEntry.TableHpa(parent.Value);
        PamtEntry* tablePage = module.Pamt.TryLockImplicit(tableHpa, SeptLevel.Page4K, LockMode.Exclusive);
        if (tablePage == null)
            return Answer.Busy(OperandId.RCX);
        ulong status = parent.CheckTracked(tablePage, ref registers);
        if (status == Answer.Success)
            status = Promote(module, td, parent, tableHpa, tablePage, ref registers);
        HostPriorityLock.Release(ref tablePage->Lock, LockMode.Exclusive);
        return status;
    }

    private static ulong Promote(
        TdxModule module, in HeldTd td, in HeldSeptEntry parent, ulong tableHpa, PamtEntry* tablePage,
        ref RegisterFile registers)
    {
        var children = (ulong*)module.Memory.Find(tableHpa);
        ulong status = LockChildren(children, parent.Level, out int locked);
        if (status != Answer.Success)
        {
            HeldSeptEntry.Describe(parent.Value, parent.Level, ref registers);
        }
        else if (module.InterruptPending)
        {
            status = Status.TDX_INTERRUPTED_RESTARTABLE;
        }
        else
        {
            ulong pageHpa = SeptEntry.LeafHpa(children[0], parent.Level - 1);
            if (!module.Pamt.TryMerge(pageHpa, parent.Level))
                status = Answer.Busy(OperandId.RCX);
        }

        if (status != Answer.Success)
        {
            for (int i = 0; i < locked; i++)
                SeptEntryLock.Release(&children[i]);
            return status;
        }

        // The children stay locked: their page is gone. The parent takes over the first one's value, lock bit and all.
        parent.Store(Volatile.Read(ref children[0]));
        td.Tdr->AddChildren(-1);
        tablePage->Type = PamtPageType.Nda;
        registers.Rcx = tableHpa;
        return Answer.Success;
    }

    /// <summary>
    /// Locks the children one by one and judges each: the first mapped or pending and aligned to the merged size, all
    /// others equal to it but for the address. What was locked stays so.
    /// </summary>
    private static ulong LockChildren(ulong* children, int parentLevel, out int locked)
    {
        int level = parentLevel - 1;
        ulong expected = 0;
        locked = 0;
        for (int i = 0; i < Entries; i++)
        {
            if (!SeptEntryLock.TryAcquireHost(&children[i]))
                return Answer.Busy(OperandId.RCX);
            locked++;
            ulong child = SeptEntry.WithoutAcceptCounter(Volatile.Read(ref children[i]), level);
            bool fits = i == 0
                ? (SeptEntry.LeafHpa(child, level) & (SeptLevel.Size(parentLevel) - 1)) == 0
                  && SeptStates.Of(child).Has(SeptTraits.MappedOrPending)
                : child == expected;
            if (!fits)
                return Status.TDX_EPT_INVALID_PROMOTE_CONDITIONS | (uint)OperandId.RCX;
            expected = child + SeptLevel.Size(level);
        }

        return Answer.Success;
    }

    public static ulong Demote(TdxModule module, ref RegisterFile registers)
    {
        ulong rcx = registers.Rcx;
        ulong rdx = registers.Rdx;
        registers.Rcx = 0;
        registers.Rdx = 0;
        if ((rdx & TdHandleReserved) != 0)
            return Answer.Invalid(OperandId.RDX);
        ulong status = HeldTd.Open(
            module, rdx & ~SparseL2, OperandId.RDX, LockMode.Shared, OpStates.PageDemote, out HeldTd td);
        if (status != Answer.Success)
            return status;
        status = HeldSeptEntry.Open(
            module, td, new PageInfo(rcx), SeptLevel.Page2M, SeptLevel.Page1G, LockMode.Shared, ref registers,
            out HeldSeptEntry entry);
        if (status == Answer.Success)
        {
            status = Demote(module, td, ref entry, ref registers, out PageLock table, out bool tableLocked);
            if (tableLocked)
                table.Release();
            entry.ReleaseEntry();
            entry.ReleaseTree();
        }

        td.Release();
        return RestoreIfInterrupted(status, rcx, rdx, ref registers);
    }

    private static ulong Demote(
        TdxModule module, in HeldTd td, ref HeldSeptEntry entry, ref RegisterFile registers, out PageLock table,
        out bool tableLocked)
    {
        table = default;
        tableLocked = false;
        if (!entry.State.Has(SeptTraits.PageDemote))
            return entry.Refuse(Status.TDX_EPT_ENTRY_STATE_INCORRECT, ref registers);
        entry.Value = SeptEntry.WithoutAcceptCounter(entry.Value, entry.Level);
        ulong pageHpa = SeptEntry.LeafHpa(entry.Value, entry.Level);

        // BEPOCH is read with no lock on the large page.
        PamtEntry* page = module.Pamt.Implicit(pageHpa, entry.Level);
        ulong status = entry.CheckTracked(page, ref registers);
        if (status != Answer.Success)
            return status;
        ulong tableHpa = registers.R8;
        status = ExplicitPage.Lock4K(
            module, tableHpa, OperandId.R8, LockMode.Exclusive, PamtPageType.Nda, out table);
        if (status != Answer.Success)
            return status;
        tableLocked = true;

        Split(module.Memory.Table(tableHpa), SeptEntry.Unblock(entry.Value), pageHpa, entry.Level);
        if (module.InterruptPending)
            return Status.TDX_INTERRUPTED_RESTARTABLE;
        if (!module.Pamt.TrySplit(pageHpa, entry.Level))
            return Answer.Busy(OperandId.RCX);

        entry.Store(SeptEntry.LockedTable(tableHpa));
        table.Entry->OwnerHpa = td.TdrHpa;
        table.Entry->Type = PamtPageType.Ept;
        td.Tdr->AddChildren(1);
        return Answer.Success;
    }

    private static void Split(ulong* children, ulong large, ulong pageHpa, int level)
    {
        ulong childSize = SeptLevel.Size(level - 1);
        ulong child = (large & ~(SeptEntry.HpaMask | SeptEntryLock.LockBit)) | pageHpa;
        for (int i = 0; i < Entries; i++, child += childSize)
            children[i] = child;
    }

    private static ulong RestoreIfInterrupted(ulong status, ulong rcx, ulong rdx, ref RegisterFile registers)
    {
        if (status == Status.TDX_INTERRUPTED_RESTARTABLE)
        {
            registers.Rcx = rcx;
            registers.Rdx = rdx;
        }

        return status;
    }
}
