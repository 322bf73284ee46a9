using TdxVerify.Abi;

namespace TdxVerify.Reference;

/// <summary>TDH.PHYMEM.PAGE.RECLAIM, PAGE.RDMD, PAGE.WBINVD and CACHE.WB (facts/checks.md, facts/pamt.md).</summary>
internal static unsafe class Phymem
{
    private const ulong Start = 0;
    private const ulong Resume = 1;

    public static ulong PageReclaim(TdxModule module, ref RegisterFile registers)
    {
        ulong hpa = registers.Rcx;
        ClearOutputs(ref registers);
        ulong status = ExplicitPage.LockAnySize(module, hpa, OperandId.RCX, LockMode.Exclusive, out PageLock page);
        if (status != Answer.Success)
            return status;
        status = PageReclaim(module, hpa, page, ref registers);
        page.Release();
        return status;
    }

    private static ulong PageReclaim(TdxModule module, ulong hpa, in PageLock page, ref RegisterFile registers)
    {
        PamtEntry* entry = page.Entry;
        PamtPageType type = entry->Type;
        if (type is PamtPageType.Nda or PamtPageType.Reserved)
            return Status.TDX_PAGE_METADATA_INCORRECT | (uint)OperandId.RCX;
        DescribePage(page, ref registers);
        if ((hpa & (SeptLevel.Size(page.Size) - 1)) != 0)
            return Answer.Invalid(OperandId.RCX);

        if (type == PamtPageType.Tdr)
        {
            var tdr = (Tdr*)module.Memory.Find(hpa);
            if (tdr->Lifecycle != TdLifecycle.Teardown)
                return Status.TDX_LIFECYCLE_STATE_INCORRECT;
            if (Volatile.Read(ref tdr->ChildCount) != 0)
                return Status.TDX_TD_ASSOCIATED_PAGES_EXIST;
            entry->Type = PamtPageType.Nda;
            return Answer.Success;
        }

        PamtEntry* owner = module.Pamt.TryLockImplicit(entry->OwnerHpa, SeptLevel.Page4K, LockMode.Shared);
        if (owner == null)
            return Answer.Busy(OperandId.TDR);
        ulong status = Status.TDX_LIFECYCLE_STATE_INCORRECT;
        var ownerTdr = (Tdr*)module.Memory.Find(entry->OwnerHpa);
        if (ownerTdr->Lifecycle == TdLifecycle.Teardown)
        {
            ownerTdr->AddChildren(-SeptLevel.Pages(page.Size));
            entry->Type = PamtPageType.Nda;
            status = Answer.Success;
        }

        HostPriorityLock.Release(ref owner->Lock, LockMode.Shared);
        return status;
    }

    public static ulong PageRdmd(TdxModule module, ref RegisterFile registers)
    {
        ulong hpa = registers.Rcx;
        ClearOutputs(ref registers);
        ulong status = ExplicitPage.LockAnySize(module, hpa, OperandId.RCX, LockMode.Shared, out PageLock page);
        if (status != Answer.Success)
            return status;
        DescribePage(page, ref registers);
        if (page.Entry->Type is PamtPageType.Regular or PamtPageType.Ept)
            registers.R9 = page.Entry->BlockEpoch;
        page.Release();
        return Answer.Success;
    }

    public static ulong PageWbinvd(TdxModule module, in RegisterFile registers)
    {
        // The key id says through which key the lines are flushed; any will do.
        ulong keyIds = module.Platform.HkidMask;
        ulong status = ExplicitPage.Lock4K(
            module, registers.Rcx & ~keyIds, OperandId.RCX, LockMode.Shared, PamtPageType.Nda, out PageLock page);
        if (status == Answer.Success)
            page.Release();
        return status;
    }

    public static ulong CacheWb(TdxModule module, int lp, in RegisterFile registers)
    {
        if (registers.Rcx > Resume)
            return Answer.Invalid(OperandId.RCX);
        int package = module.PackageOf(lp);
        CacheWriteBack writeBack = module.WriteBack[package];
        if (Interlocked.CompareExchange(ref writeBack.Mutex, (byte)1, (byte)0) != 0)
            return Answer.Busy(OperandId.WBCACHE);
        ulong status;
        if (SharexLock.TryAcquireShared(ref module.Kot.Lock))
        {
            status = CacheWb(module, package, writeBack, registers.Rcx == Start);
            SharexLock.Release(ref module.Kot.Lock, LockMode.Shared);
        }
        else
        {
            status = Answer.Busy(OperandId.KOT);
        }

        Volatile.Write(ref writeBack.Mutex, 0);
        return status;
    }

    private static ulong CacheWb(TdxModule module, int package, CacheWriteBack writeBack, bool start)
    {
        int first = module.Platform.PrivateHkidFirst;
        int limit = module.Kot.HkidLimit;
        if (start)
        {
            writeBack.InterruptionPoint = 0;
            if (!AnyFlushed(module.Kot, first, limit))
                return Status.TDX_NO_HKID_READY_TO_WBCACHE;
            for (int hkid = first; hkid < limit; hkid++)
                writeBack.HkidFlushedAtStart[hkid] = module.Kot[hkid] == HkidState.Flushed;
        }
        else if (writeBack.InterruptionPoint == 0)
        {
            return Status.TDX_WBCACHE_RESUME_ERROR;
        }

        int point = writeBack.InterruptionPoint;
        do
        {
            point++;
            if (point < module.Platform.CacheSubBlocks && module.InterruptPending)
            {
                writeBack.InterruptionPoint = point;
                return Status.TDX_INTERRUPTED_RESUMABLE;
            }
        }
        while (point < module.Platform.CacheSubBlocks);

        writeBack.InterruptionPoint = 0;
        for (int hkid = first; hkid < limit; hkid++)
        {
            if (writeBack.HkidFlushedAtStart[hkid])
                module.Kot.WriteBackDone(hkid, package);
        }

        return Answer.Success;
    }

    private static bool AnyFlushed(KeyOwnershipTable kot, int first, int limit)
    {
        for (int hkid = first; hkid < limit; hkid++)
        {
            if (kot[hkid] == HkidState.Flushed)
                return true;
        }

        return false;
    }

    private static void ClearOutputs(ref RegisterFile registers)
    {
        registers.Rcx = 0;
        registers.Rdx = 0;
        registers.R8 = 0;
        registers.R9 = 0;
        registers.R10 = 0;
        registers.R11 = 0;
    }

    private static void DescribePage(in PageLock page, ref RegisterFile registers)
    {
        registers.Rcx = (ulong)page.Entry->Type;
        registers.Rdx = page.Entry->OwnerHpa;
        registers.R8 = (ulong)page.Size;
    }
}
