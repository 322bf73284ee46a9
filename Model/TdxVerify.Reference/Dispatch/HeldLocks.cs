using TdxVerify.Abi;

namespace TdxVerify.Reference;

/// <summary>
/// The locks that a test holds as another agent (facts: the trace format, "Locks held by others"). Refused, they have
/// the module's own side effects.
/// </summary>
internal sealed unsafe class HeldLocks
{
    private readonly TdxModule _module;
    private readonly List<HeldLock> _held = [];

    public HeldLocks(TdxModule module) => _module = module;

    /// <summary>Takes a lock; an object that does not exist has none.</summary>
    public PortResult Take(in LockOperation operation)
    {
        LockMode mode = Mode(operation);
        var held = new HeldLock { Operation = operation };
        bool taken;
        switch (operation.Which)
        {
            case PortLock.Pamt or PortLock.Tdr or PortLock.Tdvps:
                if (!Exists(operation))
                    return PortResult.Invalid;
                taken = _module.Pamt.TryWalk(operation.Argument, SeptLevel.Page4K, mode, operation.Guest, out held.Page);
                break;
            case PortLock.OpState or PortLock.SeptTree or PortLock.Epoch:
                held.Tdcs = FindTdcs(operation.Argument);
                if (held.Tdcs == null)
                    return PortResult.Invalid;
                taken = operation.Which switch
                {
                    PortLock.OpState => HostPriorityLock.TryAcquire(ref held.Tdcs->OpStateLock, mode, operation.Guest),
                    PortLock.SeptTree => SharexLock.TryAcquire(ref held.Tdcs->SeptTreeLock, mode),
                    _ => SharexLock.TryAcquire(ref held.Tdcs->EpochLock, mode),
                };
                break;
            case PortLock.SeptEntry:
                held.Entry = FindEntry(operation, out held.Tdcs);
                if (held.Entry == null)
                    return PortResult.Invalid;
                taken = operation.Guest
                    ? SeptEntryLock.TryAcquireGuest(held.Entry)
                    : SeptEntryLock.TryAcquireHost(held.Entry);
                break;
            default:
                return PortResult.Invalid;
        }

        if (!taken)
            return PortResult.Busy;
        _held.Add(held);
        return PortResult.Ok;
    }

    /// <summary>Drops the latest lock that was taken by an equal operation.</summary>
    public PortResult Drop(in LockOperation operation)
    {
        int index = _held.Count - 1;
        while (index >= 0 && _held[index].Operation != operation)
            index--;
        if (index < 0)
            return PortResult.Invalid;
        HeldLock held = _held[index];
        _held.RemoveAt(index);

        // The lock went with its TD: teardown does not ask for the locks inside a TD.
        if (held.Tdcs != null && held.Tdcs != FindTdcs(operation.Argument))
            return PortResult.Ok;
        switch (operation.Which)
        {
            case PortLock.OpState:
                HostPriorityLock.Release(ref held.Tdcs->OpStateLock, Mode(operation));
                break;
            case PortLock.SeptTree:
                SharexLock.Release(ref held.Tdcs->SeptTreeLock, Mode(operation));
                break;
            case PortLock.Epoch:
                SharexLock.Release(ref held.Tdcs->EpochLock, Mode(operation));
                break;
            case PortLock.SeptEntry:
                // Whoever held it held the tree too, so its table is still there and the entry still locked.
                if ((Volatile.Read(ref *held.Entry) & SeptEntryLock.LockBit) == 0)
                    throw new ModuleHaltException();
                SeptEntryLock.Release(held.Entry);
                break;
            default:
                held.Page.Release();
                break;
        }

        return PortResult.Ok;
    }

    public void Reset() => _held.Clear();

    private static LockMode Mode(in LockOperation operation) =>
        operation.Exclusive ? LockMode.Exclusive : LockMode.Shared;

    private bool Exists(in LockOperation operation)
    {
        if (!_module.Pamt.Contains(operation.Argument))
            return false;
        PamtPageType type = _module.Pamt.Entry(operation.Argument, SeptLevel.Page4K)->Type;
        return operation.Which switch
        {
            PortLock.Tdr => type == PamtPageType.Tdr,
            PortLock.Tdvps => type == PamtPageType.Tdvpr,
            _ => true,
        };
    }

    // A TDCS of which only the first pages were added has its locks already. A page that teardown took away keeps its
    // content, and whoever has it next leaves the lock words alone, unless as an S-EPT page.
    private Tdcs* FindTdcs(ulong tdrHpa)
    {
        if (!_module.Pamt.Contains(tdrHpa)
            || _module.Pamt.Entry(tdrHpa, SeptLevel.Page4K)->Type != PamtPageType.Tdr)
            return null;
        var tdr = (Tdr*)_module.Memory.Find(tdrHpa);
        if (tdr->TdcxCount == 0
            || _module.Pamt.Entry(tdr->TdcxHpa[0], SeptLevel.Page4K)->Type == PamtPageType.Ept)
            return null;
        return (Tdcs*)_module.Memory.Find(tdr->TdcxHpa[0]);
    }

    private ulong* FindEntry(in LockOperation operation, out Tdcs* tdcs)
    {
        tdcs = FindTdcs(operation.Argument);
        var target = new PageInfo(operation.Argument2);
        if (tdcs == null || !IsInUse(operation.Argument) || tdcs->OpState == OpState.Uninitialized
            || target.Level > tdcs->RootLevel)
            return null;
        int level = target.Level;
        ulong* entry = SeptWalk.Walk(_module, tdcs, target.Gpa, ref level, out _);
        return level == target.Level ? entry : null;
    }

    // The S-EPT can be walked: no page of the TD was taken away yet.
    private bool IsInUse(ulong tdrHpa) =>
        ((Tdr*)_module.Memory.Find(tdrHpa))->Lifecycle != TdLifecycle.Teardown;

    private struct HeldLock
    {
        public LockOperation Operation;
        public PageLock Page;
        public Tdcs* Tdcs;
        public ulong* Entry;
    }
}
