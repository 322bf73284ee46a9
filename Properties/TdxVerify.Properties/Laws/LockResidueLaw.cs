using TdxVerify.Model;
using TdxVerify.Properties.Laws.Calls;

namespace TdxVerify.Properties.Laws;

/// <summary>
/// A SEAMCALL leaves each lock word that it asked for exactly as the kind of lock says (facts/lock-types.csv): a refused
/// host attempt raises host priority, a granted one takes it back; a refused shared attempt leaves its reader; all else
/// is released, except what TDH.VP.ENTER keeps while the vCPU is in the guest.
/// </summary>
public sealed class LockResidueLaw : CallLaw
{
    private const int TakenBack = 4;
    private const int ChildRefused = 5;
    private const int Promoted = 6;

    private const ulong Exclusive = 1;
    private const ulong HostPriority = 2;
    private const ulong WordMask = 0xFFFF;

    internal LockResidueLaw(CallJudge judge)
        : base(
            judge, "lock-words-keep-only-residue", "A call leaves each lock word that it asked for free of it, but for the residue that a refused attempt must leave.",
            "PAMT entry refused", "OP_STATE refused", "S-EPT tree or TD epoch refused", "S-EPT entry refused", "host priority taken back",
            "child entry of a promotion refused", "promotion of a shared PAMT lock refused")
    {
    }

    private protected override string? Check(CallVerdict call, Observation o, bool isGuest)
    {
        if (isGuest || !call.IsAsExpected)
            return null;
        ReadOnlySpan<LockAttempt> attempts = call.Facts.Attempts;
        for (int i = 0; i < attempts.Length; i++)
        {
            if (IsFirstOnWord(attempts, i) && Find(call, o, attempts, i) is { } wrong)
                return wrong;
        }

        return call.Facts.LastChild >= 0 && !call.Succeeded ? Children(call, o) : null;
    }

    private static bool IsFirstOnWord(ReadOnlySpan<LockAttempt> attempts, int position)
    {
        for (int i = 0; i < position; i++)
        {
            if (attempts[i].IsOnSameWord(attempts[position]))
                return false;
        }

        return true;
    }

    private string? Find(CallVerdict call, Observation o, ReadOnlySpan<LockAttempt> attempts, int first)
    {
        ref readonly LockAttempt attempt = ref attempts[first];
        ulong expected = attempt.Kind == ChangeKind.Entry
            ? EntryAfter(attempt)
            : WordAfter(attempts, first, isKept: o.Running && attempt.Kind == ChangeKind.Pamt);
        ulong actual = Read(ref o.State, attempt);
        if (expected == actual)
            return null;
        return $"{call.Rules!.Name} {EndOf(call)}, and the lock of {WordName(call.Facts, attempt)} went from {Text(attempt, attempt.Before)} to {Text(attempt, actual)}, not to {Text(attempt, expected)}";
    }

    // All attempts of the call on one word, then the releases of those that were granted.
    private ulong WordAfter(ReadOnlySpan<LockAttempt> attempts, int first, bool isKept)
    {
        bool hasPriority = attempts[first].HasHostPriority;
        ulong reader = hasPriority ? 4UL : 2;
        ulong priority = hasPriority ? HostPriority : 0;
        ulong word = attempts[first].Before;
        ulong readers = 0;
        bool isExclusive = false;
        for (int i = first; i < attempts.Length; i++)
        {
            ref readonly LockAttempt attempt = ref attempts[i];
            if (!attempt.IsOnSameWord(attempts[first]))
                continue;
            if (attempt.Mode == AttemptMode.Shared)
                word = (word + reader) & WordMask;
            if (attempt.IsRefused)
            {
                word |= priority;
                Count(attempt);
                continue;
            }

            if ((word & priority) != 0)
                Occurred(TakenBack);
            word &= ~priority;
            if (attempt.Mode == AttemptMode.Shared)
            {
                readers++;
                continue;
            }

            word = Exclusive;
            readers = 0;
            isExclusive = true;
        }

        if (isKept)
            return word;
        return isExclusive ? word & priority : word - (readers * reader);
    }

    private ulong EntryAfter(in LockAttempt attempt)
    {
        if (attempt.IsRefused)
        {
            Count(attempt);
            return SeptEntry.LockBit | SeptEntry.HostPriorityBit;
        }

        if ((attempt.Before & SeptEntry.HostPriorityBit) != 0)
            Occurred(TakenBack);
        return 0;
    }

    // Each child that was tried is free again; the one that was refused, the last, is the other agent's.
    private string? Children(CallVerdict call, Observation o)
    {
        CallFacts c = call.Facts;
        bool isRefused = call.Expected is { Kind: RuleKind.Lock, Shows: Shown.Entry };
        if (isRefused)
            Occurred(ChildRefused);
        for (int index = 0; index <= c.LastChild; index++)
        {
            ulong expected = isRefused && index == c.LastChild ? SeptEntry.LockBit | SeptEntry.HostPriorityBit : 0;
            ulong actual = LockBits(o.State.Entry(new EntryRef(c.Value.Target, index)).Word);
            if (actual != expected)
                return $"{call.Rules!.Name} {EndOf(call)}, and child entry {index} is {EntryText(actual)}, not {EntryText(expected)}";
        }

        return null;
    }

    private void Count(in LockAttempt refused)
    {
        if (refused.Mode == AttemptMode.Promotion)
            Occurred(Promoted);
        Occurred(refused.Kind switch
        {
            ChangeKind.Pamt => 0,
            ChangeKind.Entry => 3,
            _ => (TdField)refused.Position == TdField.OpStateLock ? 1 : 2,
        });
    }

    private static ulong Read(ref ObservedState s, in LockAttempt attempt) => attempt.Kind switch
    {
        ChangeKind.Pamt => s.Pamt(At(attempt), PamtField.Lock),
        ChangeKind.Td => s.Td(attempt.Object, (TdField)attempt.Position),
        _ => LockBits(s.Entry(new EntryRef(attempt.Object, attempt.Position)).Word),
    };

    private static ulong LockBits(ulong entry) => entry & (SeptEntry.LockBit | SeptEntry.HostPriorityBit);

    private static string Text(in LockAttempt attempt, ulong word) => attempt.Kind == ChangeKind.Entry ? EntryText(word) : $"0x{word:x}";

    private static string EntryText(ulong word)
    {
        var entry = new SeptEntry(word);
        return (entry.IsLocked ? "locked" : "free") + (entry.HasHostPriority ? " with host priority" : "");
    }

    private static PamtRef At(in LockAttempt attempt) => new Change(attempt.Kind, attempt.Object, attempt.Position, 0, 0).PamtAt;

    private static string WordName(CallFacts c, in LockAttempt attempt) => attempt.Kind switch
    {
        ChangeKind.Pamt => $"PAMT entry HPA 0x{c.HpaOf(At(attempt).FirstPage):x} (size {At(attempt).Size})",
        ChangeKind.Td => $"TD {attempt.Object} {(TdField)attempt.Position}",
        _ => $"S-EPT entry {attempt.Position} of table {attempt.Object}",
    };
}
