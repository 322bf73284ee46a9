using TdxVerify.Abi;

namespace TdxVerify.Reference;

/// <summary>TDH.MEM.PAGE.ADD, AUG, REMOVE and RELOCATE (facts/checks.md), for TDs without L2 VMs.</summary>
internal static unsafe class MemPage
{
    public static ulong Add(TdxModule module, ref RegisterFile registers)
    {
        var target = new PageInfo(registers.Rcx);
        ulong tdrHpa = registers.Rdx;
        registers.Rcx = 0;
        registers.Rdx = 0;
        ulong status = HeldTd.Open(
            module, tdrHpa, OperandId.RDX, LockMode.Exclusive, OpStates.Initialized, out HeldTd td);
        if (status != Answer.Success)
            return status;
        status = Add(module, td, target, ref registers);
        td.Release();
        return status;
    }

    // The exclusive TDR implies the tree lock and the entry lock: neither is taken, and the module relies on it.
    private static ulong Add(TdxModule module, in HeldTd td, PageInfo target, ref RegisterFile registers)
    {
        if (!SeptWalk.IsValid(target, SeptLevel.Page4K, SeptLevel.Page4K)
            || !SeptWalk.IsPrivate(td.Tdcs, target.Gpa))
            return Answer.Invalid(OperandId.RCX);
        int level = SeptLevel.Page4K;
        ulong* entry = SeptWalk.Walk(module, td.Tdcs, target.Gpa, ref level, out ulong value);
        if (level != SeptLevel.Page4K)
        {
            HeldSeptEntry.Describe(value, level, ref registers);
            return Status.TDX_EPT_WALK_FAILED | (uint)OperandId.RCX;
        }

        if (!SeptStates.Of(value).Has(SeptTraits.PageAdd))
        {
            HeldSeptEntry.Describe(value, level, ref registers);
            return Status.TDX_EPT_ENTRY_STATE_INCORRECT | (uint)OperandId.RCX;
        }

        if (!module.IsSharedHpa(registers.R9, Hpa.PageSize))
            return Answer.Invalid(OperandId.R9);
        ulong status = ExplicitPage.Lock4K(
            module, registers.R8, OperandId.R8, LockMode.Exclusive, PamtPageType.Nda, out PageLock page);
        if (status != Answer.Success)
            return status;

        module.Memory.CopyPage(module.WithoutHkid(registers.R9), registers.R8);
        if ((Volatile.Read(ref *entry) & SeptEntryLock.LockBit) != 0)
            throw new ModuleHaltException();
        Volatile.Write(ref *entry, SeptEntry.MappedLeaf(registers.R8));
        td.Tdr->AddChildren(1);
        Assign(page.Entry, td.TdrHpa);
        page.Release();
        return Answer.Success;
    }

    public static ulong Aug(TdxModule module, ref RegisterFile registers)
    {
        var target = new PageInfo(registers.Rcx);
        ulong tdrHpa = registers.Rdx;
        registers.Rcx = 0;
        registers.Rdx = 0;
        ulong status = HeldTd.Open(
            module, tdrHpa, OperandId.RDX, LockMode.Shared, OpStates.PageAug, out HeldTd td);
        if (status != Answer.Success)
            return status;
        status = HeldSeptEntry.Open(
            module, td, target, SeptLevel.Page4K, SeptLevel.Page2M, LockMode.Shared, ref registers,
            out HeldSeptEntry entry);
        if (status == Answer.Success)
        {
            status = Aug(module, td, ref entry, ref registers);
            entry.ReleaseEntry();
            entry.ReleaseTree();
        }

        td.Release();
        return status;
    }

    private static ulong Aug(TdxModule module, in HeldTd td, ref HeldSeptEntry entry, ref RegisterFile registers)
    {
        if (!entry.State.Has(SeptTraits.PageAug))
            return entry.Refuse(Status.TDX_EPT_ENTRY_STATE_INCORRECT, ref registers);
        ulong status = ExplicitPage.LockFree(
            module, registers.R8, entry.Level, OperandId.R8, out PageLock page);
        if (status != Answer.Success)
            return status;

        // The entry is visible, and unlocked, before the page is marked as assigned.
        entry.StoreAndUnlock(SeptEntry.PendingLeaf(registers.R8));
        td.Tdr->AddChildren(SeptLevel.Pages(entry.Level));
        Assign(page.Entry, td.TdrHpa);
        page.Release();
        return Answer.Success;
    }

    public static ulong Remove(TdxModule module, ref RegisterFile registers)
    {
        var target = new PageInfo(registers.Rcx);
        ulong tdrHpa = registers.Rdx;
        registers.Rcx = 0;
        registers.Rdx = 0;
        ulong status = HeldTd.Open(
            module, tdrHpa, OperandId.RDX, LockMode.Shared, OpStates.PageRemove, out HeldTd td);
        if (status != Answer.Success)
            return status;
        status = HeldSeptEntry.Open(
            module, td, target, SeptLevel.Page4K, SeptLevel.Page1G, LockMode.Shared, ref registers,
            out HeldSeptEntry entry);
        if (status == Answer.Success)
        {
            status = Remove(module, td, ref entry, ref registers, out PamtEntry* page);
            if (page != null)
                HostPriorityLock.Release(ref page->Lock, LockMode.Exclusive);
            entry.ReleaseEntry();
            entry.ReleaseTree();
        }

        td.Release();
        return status;
    }

    private static ulong Remove(
        TdxModule module, in HeldTd td, ref HeldSeptEntry entry, ref RegisterFile registers, out PamtEntry* page)
    {
        page = null;
        if (!SeptEntry.IsLeaf(entry.Value) || !entry.State.Has(SeptTraits.PageRemove))
            return entry.Refuse(Status.TDX_EPT_ENTRY_STATE_INCORRECT, ref registers);
        entry.Value = SeptEntry.WithoutAcceptCounter(entry.Value, entry.Level);
        ulong pageHpa = SeptEntry.LeafHpa(entry.Value, entry.Level);
        page = module.Pamt.TryLockImplicit(pageHpa, entry.Level, LockMode.Exclusive);
        if (page == null)
            return Answer.Busy(OperandId.RCX);
        ulong status = entry.CheckTracked(page, ref registers);
        if (status != Answer.Success)
            return status;

        entry.StoreAndUnlock(SeptEntry.Free);
        td.Tdr->AddChildren(-SeptLevel.Pages(entry.Level));
        page->Type = PamtPageType.Nda;
        registers.Rcx = pageHpa;
        return Answer.Success;
    }

    public static ulong Relocate(TdxModule module, ref RegisterFile registers)
    {
        var target = new PageInfo(registers.Rcx);
        ulong tdrHpa = registers.Rdx;
        registers.Rcx = 0;
        registers.Rdx = 0;
        ulong status = HeldTd.Open(
            module, tdrHpa, OperandId.RDX, LockMode.Shared, OpStates.PageRelocate, out HeldTd td);
        if (status != Answer.Success)
            return status;
        status = HeldSeptEntry.Open(
            module, td, target, SeptLevel.Page4K, SeptLevel.Page4K, LockMode.Shared, ref registers,
            out HeldSeptEntry entry);
        if (status == Answer.Success)
        {
            status = Relocate(module, td, entry, ref registers);
            entry.ReleaseEntry();
            entry.ReleaseTree();
        }

        td.Release();
        return status;
    }

    private static ulong Relocate(
        TdxModule module, in HeldTd td, in HeldSeptEntry entry, ref RegisterFile registers)
    {
        if (!SeptEntry.IsLeaf(entry.Value) || !entry.State.Has(SeptTraits.PageRelocate))
            return entry.Refuse(Status.TDX_EPT_ENTRY_STATE_INCORRECT, ref registers);
        ulong source = SeptEntry.LeafHpa(entry.Value, entry.Level);
        ulong destination = registers.R8;
        if (source == destination)
            return Answer.Invalid(OperandId.R8);
        PamtEntry* page = module.Pamt.TryLockImplicit(source, SeptLevel.Page4K, LockMode.Exclusive);
        if (page == null)
            return Answer.Busy(OperandId.RCX);

        ulong status = entry.CheckTracked(page, ref registers);
        if (status == Answer.Success)
        {
            status = ExplicitPage.Lock4K(
                module, destination, OperandId.R8, LockMode.Exclusive, PamtPageType.Nda, out PageLock newPage);
            if (status == Answer.Success)
            {
                if (!entry.State.Has(SeptTraits.AnyPending))
                    module.Memory.CopyPage(source, destination);
                page->Type = PamtPageType.Nda;
                Assign(newPage.Entry, td.TdrHpa);
                entry.Store(SeptEntry.Unblock((entry.Value & ~SeptEntry.HpaMask) | SeptEntryLock.LockBit | destination));
                registers.Rcx = source;
                newPage.Release();
            }
        }

        HostPriorityLock.Release(ref page->Lock, LockMode.Exclusive);
        return status;
    }

    private static void Assign(PamtEntry* page, ulong tdrHpa)
    {
        page->Type = PamtPageType.Regular;
        page->OwnerHpa = tdrHpa;
        page->BlockEpoch = 0;
    }
}
