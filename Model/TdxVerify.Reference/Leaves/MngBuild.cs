using TdxVerify.Abi;

namespace TdxVerify.Reference;

/// <summary>TDH.MNG.CREATE, KEY.CONFIG and ADDCX (facts/checks.md): from a free page to a TD with its TDCS pages.</summary>
internal static unsafe class MngBuild
{
    private const ulong HkidOperandMask = 0xFFFF;

    /// <summary>L2 VMs that a TD may have, each with a TDCX page of its own.</summary>
    private const int MaxL2Vms = 3;

    public static ulong Create(TdxModule module, in RegisterFile registers)
    {
        ulong hkid = registers.Rdx;
        if ((hkid & ~HkidOperandMask) != 0 || !module.Kot.IsPrivate(hkid))
            return Answer.Invalid(OperandId.RDX);
        ulong status = ExplicitPage.Lock4K(
            module, registers.Rcx, OperandId.RCX, LockMode.Exclusive, PamtPageType.Nda, out PageLock page);
        if (status != Answer.Success)
            return status;

        status = Create(module, registers.Rcx, (int)hkid, page.Entry);
        page.Release();
        return status;
    }

    private static ulong Create(TdxModule module, ulong tdrHpa, int hkid, PamtEntry* page)
    {
        if (!SharexLock.TryAcquireExclusive(ref module.Kot.Lock))
            return Answer.Busy(OperandId.KOT);
        ulong status = Answer.Success;
        if (module.Kot[hkid] != HkidState.Free)
        {
            status = Status.TDX_HKID_NOT_FREE;
        }
        else
        {
            var tdr = (Tdr*)module.Memory.Zeroed(tdrHpa);
            if (module.Choices.Fails(ChoicePoint.NoEntropy))
            {
                status = Status.TDX_RND_NO_ENTROPY;
            }
            else
            {
                module.Kot[hkid] = HkidState.Assigned;
                tdr->Hkid = (ushort)hkid;
                tdr->Lifecycle = TdLifecycle.HkidAssigned;
                page->OwnerHpa = 0;
                page->Type = PamtPageType.Tdr;
            }
        }

        SharexLock.Release(ref module.Kot.Lock, LockMode.Exclusive);
        return status;
    }

    public static ulong KeyConfig(TdxModule module, int lp, in RegisterFile registers)
    {
        ulong status = HeldTd.LockTdr(module, registers.Rcx, OperandId.RCX, LockMode.Exclusive, out HeldTd td);
        if (status != Answer.Success)
            return status;
        status = KeyConfig(module, lp, td.Tdr);
        td.Release();
        return status;
    }

    private static ulong KeyConfig(TdxModule module, int lp, Tdr* tdr)
    {
        uint package = 1u << module.PackageOf(lp);
        uint allPackages = (uint)((1UL << module.Platform.Packages) - 1);
        if (tdr->Fatal)
            return Status.TDX_TD_FATAL;
        if (tdr->Lifecycle != TdLifecycle.HkidAssigned)
            return Status.TDX_LIFECYCLE_STATE_INCORRECT;
        if ((tdr->ConfiguredPackages & package) != 0)
            return Status.TDX_KEY_CONFIGURED;
        if (module.Choices.Fails(ChoicePoint.KeyProgrammingBusy))
            return Answer.Busy(OperandId.KET);
        if (module.Choices.Fails(ChoicePoint.KeyGenerationFailed))
            return Status.TDX_KEY_GENERATION_FAILED;
        tdr->ConfiguredPackages |= package;
        if (tdr->ConfiguredPackages == allPackages)
            tdr->Lifecycle = TdLifecycle.KeysConfigured;
        return Answer.Success;
    }

    public static ulong Addcx(TdxModule module, in RegisterFile registers)
    {
        ulong status = HeldTd.LockTdr(module, registers.Rdx, OperandId.RDX, LockMode.Exclusive, out HeldTd td);
        if (status != Answer.Success)
            return status;
        status = Addcx(module, registers.Rcx, td, out PageLock page, out bool pageLocked);
        td.Release();
        if (pageLocked)
            page.Release();
        return status;
    }

    private static ulong Addcx(TdxModule module, ulong hpa, in HeldTd td, out PageLock page, out bool pageLocked)
    {
        Tdr* tdr = td.Tdr;
        page = default;
        pageLocked = false;
        if (tdr->Fatal)
            return Status.TDX_TD_FATAL;
        if (tdr->Lifecycle != TdLifecycle.KeysConfigured)
            return Status.TDX_TD_KEYS_NOT_CONFIGURED;
        if (tdr->TdcxCount >= module.Platform.TdcsPages + MaxL2Vms)
            return Status.TDX_TDCX_NUM_INCORRECT;
        ulong status = ExplicitPage.Lock4K(
            module, hpa, OperandId.RCX, LockMode.Exclusive, PamtPageType.Nda, out page);
        if (status != Answer.Success)
            return status;
        pageLocked = true;

        int index = tdr->TdcxCount;
        Fill(module.Memory, hpa, index);
        if (index == module.Platform.TdcsPages - 1 && module.Choices.Fails(ChoicePoint.NoEntropy))
            return Status.TDX_RND_NO_ENTROPY;
        if (index >= module.Platform.TdcsPages
            && ((Tdcs*)module.Memory.Find(tdr->TdcxHpa[0]))->OpState != OpState.Uninitialized)
            return Status.TDX_OP_STATE_INCORRECT;

        tdr->TdcxHpa[index] = hpa;
        tdr->TdcxCount = index + 1;
        tdr->AddChildren(1);
        page.Entry->OwnerHpa = td.TdrHpa;
        page.Entry->Type = PamtPageType.Tdcx;
        return Answer.Success;
    }

    private static void Fill(PhysicalMemory memory, ulong hpa, int index)
    {
        switch (index)
        {
            case Tdcs.MsrBitmapPage:
                memory.Filled(hpa, ulong.MaxValue);
                break;
            case Tdcs.SeptRootPage:
                memory.Filled(hpa, SeptEntry.Free);
                break;
            default:
                memory.Zeroed(hpa);
                break;
        }
    }
}
