namespace TdxVerify.Reference;

/// <summary>
/// A PAMT walk that holds its locks: the parents shared, the entry where it ended in <see cref="Mode"/>.
/// </summary>
internal unsafe struct PageLock
{
    public PamtEntry* Entry1G;
    public PamtEntry* Entry2M;
    public PamtEntry* Entry4K;

    /// <summary>The size where the walk ended, in the numbering of <see cref="Abi.SeptLevel"/>.</summary>
    public int Size;
    public LockMode Mode;

    /// <summary>The entry where the walk ended.</summary>
    public readonly PamtEntry* Entry => Size == 0 ? Entry4K : Size == 1 ? Entry2M : Entry1G;

    /// <summary>Drops the locks, smallest page first.</summary>
    public readonly void Release()
    {
        HostPriorityLock.Release(ref Entry->Lock, Mode);
        if (Size < 1)
            HostPriorityLock.Release(ref Entry2M->Lock, LockMode.Shared);
        if (Size < 2)
            HostPriorityLock.Release(ref Entry1G->Lock, LockMode.Shared);
    }
}
