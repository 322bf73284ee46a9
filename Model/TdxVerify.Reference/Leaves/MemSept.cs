using TdxVerify.Abi;

namespace TdxVerify.Reference;

/// <summary>TDH.MEM.SEPT.ADD, SEPT.REMOVE and SEPT.RD (facts/checks.md), for TDs without L2 VMs.</summary>
internal static unsafe class MemSept
{
    private const ulong TdHandleReserved = 0xFFF0_0000_0000_0FFE;
    private const ulong AllowExisting = 1;
    private const ulong NoPage = ulong.MaxValue;
    private const ulong UnusedPageBit = 1UL << 63;
    private const ulong ReadL2Attributes = 1;
    private const ulong DebugAttribute = 1;

    public static ulong Add(TdxModule module, ulong version, ref RegisterFile registers)
    {
        var target = new PageInfo(registers.Rcx);
        ulong handle = registers.Rdx;
        registers.Rcx = 0;
        registers.Rdx = 0;
        if (version > 1)
            return Answer.Invalid(OperandId.RAX);

        // Version 1 hands the pages back: all ones where used up, bit 63 set where one existed already.
        ulong page = WithoutUnusedBit(registers.R8);
        ulong returned = page;
        ulong status;
        if (version == 0)
        {
            status = Add(module, version, target, handle, page, ref returned, ref registers);
        }
        else
        {
            registers.R9 = WithoutUnusedBit(registers.R9);
            registers.R10 = WithoutUnusedBit(registers.R10);
            registers.R11 = WithoutUnusedBit(registers.R11);
            status = Add(module, version, target, handle, page, ref returned, ref registers);
            registers.R8 = returned;
        }

        return status;
    }

    private static ulong Add(
        TdxModule module, ulong version, PageInfo target, ulong handle, ulong page, ref ulong returned,
        ref RegisterFile registers)
    {
        if ((handle & TdHandleReserved) != 0)
            return Answer.Invalid(OperandId.RDX);
        ulong status = HeldTd.Open(
            module, handle & ~AllowExisting, OperandId.RDX, LockMode.Shared, OpStates.SeptAdd, out HeldTd td);
        if (status != Answer.Success)
            return status;
        status = HeldSeptEntry.Open(
            module, td, target, SeptLevel.Page2M, td.Tdcs->RootLevel, LockMode.Shared, ref registers,
            out HeldSeptEntry parent);
        if (status == Answer.Success)
        {
            bool allowExisting = (handle & AllowExisting) != 0;
            status = Add(
                module, version, allowExisting, page, ref returned, td, parent, ref registers, out PageLock pageLock,
                out bool pageLocked);
            parent.ReleaseEntry();
            if (pageLocked)
                pageLock.Release();
            parent.ReleaseTree();
        }

        td.Release();
        return status;
    }

    private static ulong Add(
        TdxModule module, ulong version, bool allowExisting, ulong page, ref ulong returned, in HeldTd td,
        in HeldSeptEntry parent, ref RegisterFile registers, out PageLock pageLock, out bool pageLocked)
    {
        pageLock = default;
        pageLocked = false;
        if (!parent.State.Has(SeptTraits.SeptAdd))
            return parent.Refuse(Status.TDX_EPT_ENTRY_STATE_INCORRECT, ref registers);

        bool free = parent.State.State == SeptState.Free;
        if (page == NoPage)
        {
            if (version == 0)
                return Answer.Invalid(OperandId.R8);
            if (free)
                return parent.Refuse(Status.TDX_EPT_ENTRY_STATE_INCORRECT, ref registers);
        }
        else if (free)
        {
            ulong status = ExplicitPage.Lock4K(
                module, page, OperandId.R8, LockMode.Exclusive, PamtPageType.Nda, out pageLock);
            if (status != Answer.Success)
                return status;
            pageLocked = true;
        }
        else if (allowExisting)
        {
            returned |= UnusedPageBit;
        }
        else
        {
            return parent.Refuse(Status.TDX_EPT_ENTRY_STATE_INCORRECT, ref registers);
        }

        // There is no L2 VM that a further page could be for.
        if (version > 0)
        {
            if (registers.R9 != NoPage)
                return Answer.Invalid(OperandId.R9);
            if (registers.R10 != NoPage)
                return Answer.Invalid(OperandId.R10);
            if (registers.R11 != NoPage)
                return Answer.Invalid(OperandId.R11);
        }

        if (!pageLocked)
            return Answer.Success;
        module.Memory.Filled(page, SeptEntry.Free);
        Assign(pageLock.Entry, td.TdrHpa);
        td.Tdr->AddChildren(1);
        parent.Store(SeptEntry.LockedTable(page));
        returned = NoPage;
        return Answer.Success;
    }

    private static void Assign(PamtEntry* page, ulong tdrHpa)
    {
        page->Type = PamtPageType.Ept;
        page->OwnerHpa = tdrHpa;
        page->BlockEpoch = 0;
    }

    private static ulong WithoutUnusedBit(ulong page) => page == NoPage ? NoPage : page & ~UnusedPageBit;

    public static ulong Remove(TdxModule module, ulong version, ref RegisterFile registers)
    {
        var target = new PageInfo(registers.Rcx);
        ulong tdrHpa = registers.Rdx;
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
            module, tdrHpa, OperandId.RDX, LockMode.Shared, OpStates.SeptRemove, out HeldTd td);
        if (status != Answer.Success)
            return status;
        status = HeldSeptEntry.Open(
            module, td, target, SeptLevel.Page2M, td.Tdcs->RootLevel, LockMode.Exclusive, ref registers,
            out HeldSeptEntry parent);
        if (status == Answer.Success)
        {
            status = Remove(module, td, ref parent, ref registers, out PamtEntry* page);
            parent.ReleaseEntry();
            if (page != null)
                HostPriorityLock.Release(ref page->Lock, LockMode.Exclusive);
            parent.ReleaseTree();
        }

        td.Release();
        return status;
    }

    private static ulong Remove(
        TdxModule module, in HeldTd td, ref HeldSeptEntry parent, ref RegisterFile registers, out PamtEntry* page)
    {
        page = null;
        if (!parent.State.Has(SeptTraits.SeptRemove))
            return parent.Refuse(Status.TDX_EPT_ENTRY_STATE_INCORRECT, ref registers);
        ulong pageHpa = SeptEntry.TableHpa(parent.Value);
        page = module.Pamt.TryLockImplicit(pageHpa, SeptLevel.Page4K, LockMode.Exclusive);
        if (page == null)
            return Answer.Busy(OperandId.RCX);
        ulong status = parent.CheckTracked(page, ref registers);
        if (status != Answer.Success)
            return status;
        var entries = (ulong*)module.Memory.Find(pageHpa);
        for (int i = 0; i < 512; i++)
        {
            if (!SeptEntry.IsFree(Volatile.Read(ref entries[i])))
                return parent.Refuse(Status.TDX_EPT_PAGE_NOT_FREE, ref registers);
        }

        parent.StoreAndUnlock(SeptEntry.Free);
        td.Tdr->AddChildren(-1);
        page->Type = PamtPageType.Nda;
        registers.Rcx = pageHpa;
        return Answer.Success;
    }

    public static ulong Rd(TdxModule module, ref RegisterFile registers)
    {
        var target = new PageInfo(registers.Rcx);
        ulong handle = registers.Rdx;
        registers.Rcx = 0;
        registers.Rdx = 0;
        ulong status = HeldTd.Open(
            module, handle & ~ReadL2Attributes, OperandId.RDX, LockMode.Shared, OpStates.SeptRd, out HeldTd td);
        if (status != Answer.Success)
            return status;
        status = Rd(module, td, target, (handle & ReadL2Attributes) != 0, ref registers);
        td.Release();
        return status;
    }

    private static ulong Rd(
        TdxModule module, in HeldTd td, PageInfo target, bool readL2Attributes, ref RegisterFile registers)
    {
        if (readL2Attributes && (td.Tdcs->Attributes & DebugAttribute) == 0)
            return Answer.Invalid(OperandId.RDX);
        ulong status = HeldSeptEntry.Open(
            module, td, target, SeptLevel.Page4K, td.Tdcs->RootLevel, LockMode.Shared, ref registers,
            out HeldSeptEntry entry);
        if (status != Answer.Success)
            return status;
        HeldSeptEntry.Describe(entry.Value, entry.Level, ref registers);
        if (readL2Attributes)
            registers.R8 = 0;
        entry.ReleaseEntry();
        entry.ReleaseTree();
        return Answer.Success;
    }
}
