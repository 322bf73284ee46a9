using TdxVerify.Model;

namespace TdxVerify.Properties.Schedules.Laws;

/// <summary>When all calls have ended, no lock word says more than that host priority was asked for.</summary>
public sealed class LocksAtRestLaw() : InterleavingLaw("no-lock-leaks", "When all calls have ended, all locks that they touched are free; only host priority may stay.")
{
    /// <inheritdoc/>
    public override string? AtRest(ConcurrentView view)
    {
        ref BranchingState s = ref view.State;
        foreach (ref readonly Change change in view.Changes)
        {
            ulong left = change.Kind switch
            {
                ChangeKind.Pamt when change.PamtField == PamtField.Lock => WithoutPriority(s.Pamt(change.PamtAt, PamtField.Lock)),
                ChangeKind.Td when (TdField)change.Position == TdField.OpStateLock => WithoutPriority(s.Td(change.Object, TdField.OpStateLock)),
                ChangeKind.Td when (TdField)change.Position is TdField.SeptTreeLock or TdField.EpochLock => s.Td(change.Object, (TdField)change.Position),
                ChangeKind.Global when (GlobalField)change.Position is GlobalField.KotLock or GlobalField.WritebackMutex => s.Global((GlobalField)change.Position),
                ChangeKind.Entry => s.Entry(change.EntryAt).IsLocked ? 1UL : 0,
                _ => 0,
            };
            Judged++;
            if (left != 0)
                return $"the lock of {Describe(change)} is 0x{left:x} when all calls have ended";
        }

        return null;
    }

    private static ulong WithoutPriority(ulong word) => HostPriorityLock.HasHostPriority(word) ? word & ~(word & HostPriorityLock.AllButReaders) | (HostPriorityLock.IsExclusive(word) ? 1UL : 0) : word;

    private static string Describe(in Change change) => change.Kind switch
    {
        ChangeKind.Pamt => $"PAMT entry {change.PamtAt.Index} of size {change.PamtAt.Size}",
        ChangeKind.Td => $"{(TdField)change.Position}",
        ChangeKind.Global => $"{(GlobalField)change.Position}",
        _ => $"S-EPT entry {change.Position} of table {change.Object}",
    };
}
