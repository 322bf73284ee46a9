using TdxVerify.Abi;

namespace TdxVerify.Reference;

/// <summary>Pages that an operand names: address checks, PAMT walk and type check, in the module's order.</summary>
internal static unsafe class ExplicitPage
{
    /// <summary>Locks a 4 KiB page of the type asked for; on failure nothing is held.</summary>
    public static ulong Lock4K(
        TdxModule module, ulong hpa, OperandId operand, LockMode mode, PamtPageType type, out PageLock held) =>
        Lock(module, hpa, SeptLevel.Page4K, operand, mode, type, out held);

    /// <summary>Locks an unassigned page of 4 KiB or 2 MiB exclusively; on failure nothing is held.</summary>
    public static ulong LockFree(TdxModule module, ulong hpa, int size, OperandId operand, out PageLock held)
    {
        ulong status = Lock(module, hpa, size, operand, LockMode.Exclusive, PamtPageType.Nda, out held);
        if (status != Answer.Success || size == SeptLevel.Page4K || module.Pamt.IsFree2M(hpa))
            return status;
        held.Release();
        return Status.TDX_PAGE_METADATA_INCORRECT | (uint)operand;
    }

    /// <summary>Locks a page at the size that it has; the caller judges the type.</summary>
    public static ulong LockAnySize(TdxModule module, ulong hpa, OperandId operand, LockMode mode, out PageLock held)
    {
        held = default;
        ulong status = CheckAddress(module, hpa, SeptLevel.Page4K, operand);
        if (status != Answer.Success)
            return status;
        return module.Pamt.TryWalk(hpa, SeptLevel.Page4K, mode, guest: false, out held)
            ? Answer.Success
            : Answer.Busy(operand);
    }

    private static ulong Lock(
        TdxModule module, ulong hpa, int size, OperandId operand, LockMode mode, PamtPageType type, out PageLock held)
    {
        held = default;
        ulong status = CheckAddress(module, hpa, size, operand);
        if (status != Answer.Success)
            return status;
        if (!module.Pamt.TryWalk(hpa, size, mode, guest: false, out held))
            return Answer.Busy(operand);
        if (held.Size == size && held.Entry->Type == type)
        {
            if (mode == LockMode.Exclusive)
                module.PauseUnder(RemovedLock.PamtEntry);
            return Answer.Success;
        }

        held.Release();
        return Status.TDX_PAGE_METADATA_INCORRECT | (uint)operand;
    }

    private static ulong CheckAddress(TdxModule module, ulong hpa, int size, OperandId operand)
    {
        if ((hpa & (module.HkidAndAboveMask | (SeptLevel.Size(size) - 1))) != 0)
            return Answer.Invalid(operand);
        return module.Pamt.Contains(hpa) ? Answer.Success : Status.TDX_OPERAND_ADDR_RANGE_ERROR | (uint)operand;
    }
}
