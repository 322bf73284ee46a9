using System.Numerics;

namespace TdxVerify.Model.Mutants;

/// <summary>
/// Faults in lock steps. A lock step may also set locals, or find that the call needs no lock here; a fault in the
/// lock keeps that. So the step is carried out on a word on which it cannot be refused, and then the word is put back
/// and the fault's own lock is taken.
/// </summary>
internal static class LockFaults<S>
    where S : struct, IState
{
    private const int Children = 512;

    private delegate bool Take(ref ulong word);

    /// <summary>The faults of a lock step, in words and as the test that replaces its own.</summary>
    public static IEnumerable<(MutantKind Kind, string Fault, StepTest<S> Test)> Of(Step<S> step)
    {
        LockUse use = step.Lock!.Value;
        StepTest<S> test = step.Test!;
        if (use.Id == LockId.SeptChildren)
        {
            yield return (MutantKind.LockDropped, "locks dropped", WithoutChildLocks(test));
            yield return (MutantKind.LockWeakened, "refused lock leaves no host priority", WithoutChildPriority(test));
            yield break;
        }

        if (use.Mode == LockMode.Momentary)
        {
            yield return (MutantKind.LockDropped, "lock dropped", static (ref S s, ref Call c, int argument) => true);
            yield return (MutantKind.LockWeakened, "refused lock leaves no trace", WithoutMomentaryTrace(test));
            yield break;
        }

        if (use.Mode == LockMode.Promoted)
            yield return (MutantKind.LockWeakened, "promotion skipped", Replace(step, null, exclusive: false));
        else
            yield return (MutantKind.LockDropped, "lock dropped", Replace(step, null, exclusive: false));
        if (use.Mode == LockMode.Exclusive)
            yield return (MutantKind.LockWeakened, "lock weakened to shared", Replace(step, TakeShared(use.Id), exclusive: false));
        if (AsOtherAgent(use) is { } other)
        {
            string agent = use.Mode == LockMode.Guest ? "the host" : "a guest";
            bool exclusive = use.Mode != LockMode.Shared;
            yield return (MutantKind.LockWeakened, $"lock taken as {agent} would", Replace(step, other, exclusive));
        }

        if (LeavesTrace(use))
            yield return (MutantKind.LockWeakened, "refused lock leaves no trace", WithoutTrace(step));
    }

    private static Take TakeShared(LockId id) => LockWord<S>.HasHostPriorityWord(id)
        ? (ref ulong word) => HostPriorityLock.TryShared(ref word, guest: false)
        : PlainLock.TryShared;

    private static Take? AsOtherAgent(LockUse use) => use switch
    {
        { Id: LockId.SeptEntry, Mode: LockMode.Host } => (ref ulong word) => TakeEntry(ref word, host: false),
        { Id: LockId.SeptEntry, Mode: LockMode.Guest } => (ref ulong word) => TakeEntry(ref word, host: true),
        { Mode: LockMode.Shared } when LockWord<S>.HasHostPriorityWord(use.Id) => (ref ulong word) => HostPriorityLock.TryShared(ref word, guest: true),
        { Mode: LockMode.Exclusive } when LockWord<S>.HasHostPriorityWord(use.Id) => (ref ulong word) => HostPriorityLock.TryExclusive(ref word, guest: true),
        { Mode: LockMode.Promoted } => (ref ulong word) => HostPriorityLock.TryPromote(ref word, guest: true),
        _ => null,
    };

    private static bool TakeEntry(ref ulong word, bool host)
    {
        var entry = new SeptEntry(word);
        bool granted = host ? EntryLock.TryHost(ref entry) : EntryLock.TryGuest(ref entry);
        word = entry.Word;
        return granted;
    }

    // A plain exclusive attempt and a guest's attempt at an entry change nothing when they are refused.
    private static bool LeavesTrace(LockUse use) =>
        LockWord<S>.HasHostPriorityWord(use.Id)
        || use is { Id: LockId.SeptEntry, Mode: LockMode.Host }
        || (use.Id is LockId.SeptTree or LockId.Epoch or LockId.Kot && use.Mode == LockMode.Shared);

    private static StepTest<S> Replace(Step<S> step, Take? take, bool exclusive)
    {
        LockUse use = step.Lock!.Value;
        StepTest<S> test = step.Test!;
        return (ref S s, ref Call c, int argument) =>
        {
            LockId id = LockWord<S>.Resolve(ref c, use.Id);
            ulong word = LockWord<S>.Read(ref s, ref c, id);
            ulong held = c.Held;
            LockWord<S>.Write(ref s, ref c, id, LockWord<S>.Grantable(use, word));
            bool goesOn = test(ref s, ref c, argument);
            ulong taken = c.Held & ~held;
            LockWord<S>.Write(ref s, ref c, id, word);
            c.Held = held;
            if (taken == 0 || take is null)
                return goesOn;
            bool granted = take(ref word);
            LockWord<S>.Write(ref s, ref c, id, word);
            if (granted)
                c.Take((LockId)(BitOperations.TrailingZeroCount(taken) & 31), exclusive);
            return granted;
        };
    }

    private static StepTest<S> WithoutTrace(Step<S> step)
    {
        LockUse use = step.Lock!.Value;
        StepTest<S> test = step.Test!;
        return (ref S s, ref Call c, int argument) =>
        {
            LockId id = LockWord<S>.Resolve(ref c, use.Id);
            ulong word = LockWord<S>.Read(ref s, ref c, id);
            bool granted = test(ref s, ref c, argument);
            if (!granted)
                LockWord<S>.Write(ref s, ref c, id, word);
            return granted;
        };
    }

    private static StepTest<S> WithoutMomentaryTrace(StepTest<S> test) => (ref S s, ref Call c, int argument) =>
    {
        PamtRef at = MemPromote<S>.MomentaryPamt(ref c);
        ulong word = s.Pamt(at, PamtField.Lock);
        bool granted = test(ref s, ref c, argument);
        if (!granted)
            s.SetPamt(at, PamtField.Lock, word);
        return granted;
    };

    private static StepTest<S> WithoutChildLocks(StepTest<S> test) => (ref S s, ref Call c, int argument) =>
    {
        ulong held = c.Held;
        int table = c.Value.Target;
        var before = new SeptEntry[Children];
        for (int index = 0; index < Children; index++)
        {
            before[index] = s.Entry(new EntryRef(table, index));
            s.SetEntry(new EntryRef(table, index), before[index].WithoutLockBits);
        }

        bool granted = test(ref s, ref c, argument);
        for (int index = 0; index < Children; index++)
            s.SetEntry(new EntryRef(table, index), before[index]);
        c.Held = held;
        return granted;
    };

    private static StepTest<S> WithoutChildPriority(StepTest<S> test) => (ref S s, ref Call c, int argument) =>
    {
        if (test(ref s, ref c, argument))
            return true;
        var refused = new EntryRef(c.Value.Target, (int)c.Sample);
        s.SetEntry(refused, new SeptEntry(s.Entry(refused).Word & ~SeptEntry.HostPriorityBit));
        return false;
    };
}
