using TdxVerify.Model;

namespace TdxVerify.Properties.Laws.Calls;

/// <summary>How a lock is asked for.</summary>
internal enum AttemptMode : byte
{
    /// <summary>As one of several readers.</summary>
    Shared,

    /// <summary>As the only holder.</summary>
    Exclusive,

    /// <summary>From the call's own reader to the only holder.</summary>
    Promotion,

    /// <summary>The lock bit of an S-EPT entry, as the host takes it.</summary>
    Entry,
}

/// <summary>An attempt of a host call at a lock: on which word, how, and what came of it.</summary>
internal struct LockAttempt
{
    /// <summary>What kind of cell the word is: of a PAMT entry, a TD or an S-EPT entry.</summary>
    public ChangeKind Kind;

    /// <summary>The object of the cell, as in <see cref="Change"/>.</summary>
    public int Object;

    /// <summary>The position of the cell, as in <see cref="Change"/>.</summary>
    public int Position;

    /// <summary>The word before the call.</summary>
    public ulong Before;

    /// <summary>How it is asked for.</summary>
    public AttemptMode Mode;

    /// <summary>It is refused.</summary>
    public bool IsRefused;

    /// <summary>The word of the attempt knows host priority: those of PAMT entries, of OP_STATE and of S-EPT entries.</summary>
    public readonly bool HasHostPriority => Kind != ChangeKind.Td || (TdField)Position == TdField.OpStateLock;

    /// <summary>Both attempts are on the same word.</summary>
    public readonly bool IsOnSameWord(in LockAttempt other) => Kind == other.Kind && Object == other.Object && Position == other.Position;
}
