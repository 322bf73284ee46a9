namespace TdxVerify.Model;

/// <summary>Steps about the key ownership table's lock, a plain shared/exclusive one.</summary>
internal static class KotSteps<S>
    where S : struct, IState
{
    public static bool LockExclusive(ref S s, ref Call c, int arg)
    {
        ulong word = s.Global(GlobalField.KotLock);
        bool granted = PlainLock.TryExclusive(ref word);
        s.SetGlobal(GlobalField.KotLock, word);
        if (granted)
            c.Take(LockId.Kot, exclusive: true);
        return granted;
    }

    public static bool LockShared(ref S s, ref Call c, int arg)
    {
        ulong word = s.Global(GlobalField.KotLock);
        bool granted = PlainLock.TryShared(ref word);
        s.SetGlobal(GlobalField.KotLock, word);
        if (granted)
            c.Take(LockId.Kot, exclusive: false);
        return granted;
    }

    public static void Release(ref S s, ref Call c, int arg)
    {
        if (!c.Holds(LockId.Kot))
            return;
        ulong word = s.Global(GlobalField.KotLock);
        if (c.HoldsExclusive(LockId.Kot))
            PlainLock.ReleaseExclusive(ref word);
        else
            PlainLock.ReleaseShared(ref word);
        s.SetGlobal(GlobalField.KotLock, word);
        c.Drop(LockId.Kot);
    }
}
