using System.Collections.Immutable;

namespace TdxVerify.Properties.LockMaps;

/// <summary>What a thread holds at a place of its program. Two are equal if they hold the same.</summary>
public sealed class HeldLocks : IEquatable<HeldLocks>
{
    private readonly string _key;

    private HeldLocks(ImmutableArray<HeldLock> locks)
    {
        All = locks;
        _key = string.Join('|', locks.Select(held => $"{held.Name} {held.IsExclusive} {held.Scope}"));
    }

    /// <summary>Nothing.</summary>
    public static HeldLocks None { get; } = new([]);

    /// <summary>In the order of their names.</summary>
    public ImmutableArray<HeldLock> All { get; }

    /// <summary>With one more.</summary>
    public HeldLocks Take(HeldLock taken) => All.Contains(taken) ? this : new([.. All.Append(taken).OrderBy(held => held.Name, StringComparer.Ordinal)]);

    /// <summary>Without one.</summary>
    public HeldLocks Drop(string name) => Drop(held => held.Name == name);

    /// <summary>Without those.</summary>
    public HeldLocks Drop(Func<HeldLock, bool> dropped) => All.Any(dropped) ? new([.. All.Where(held => !dropped(held))]) : this;

    /// <summary>One of that name is held.</summary>
    public HeldLock? Find(string name) => All.FirstOrDefault(held => held.Name == name);

    /// <summary>The locks that keep a thread with these from being where it is while another is where that one is; empty: nothing does.</summary>
    /// <param name="other">What the other thread holds.</param>
    /// <param name="relation">What the two have in common.</param>
    public IEnumerable<string> Excluding(HeldLocks other, CallRelation relation) =>
        from mine in All
        from theirs in other.All
        where mine.Name == theirs.Name && (mine.IsExclusive || theirs.IsExclusive) && Meet(mine, theirs, relation)
        select mine.Name;

    /// <inheritdoc/>
    public bool Equals(HeldLocks? other) => other is not null && other._key == _key;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as HeldLocks);

    /// <inheritdoc/>
    public override int GetHashCode() => _key.GetHashCode(StringComparison.Ordinal);

    // To hold the mutexes of all vCPUs is to hold that of any.
    private static bool Meet(HeldLock mine, HeldLock theirs, CallRelation relation) =>
        (LockScope)Math.Min((int)mine.Scope, (int)theirs.Scope) switch
        {
            LockScope.Machine => true,
            LockScope.Vm => relation.IsSameVm,
            LockScope.Vcpu => relation.IsSameVcpu,
            _ => relation.IsSameGpa,
        };
}
