using System.Collections.Immutable;

namespace TdxVerify.Model;

/// <summary>One lock that a leaf takes, as declared.</summary>
/// <param name="Column">Which lock.</param>
/// <param name="Mode">How, in words.</param>
/// <param name="Busy">The statuses of a refused attempt.</param>
public sealed record LockRow(LockColumn Column, string Mode, ImmutableArray<ulong> Busy);

/// <summary>The locks of a leaf, read off its declared steps.</summary>
/// <param name="Leaf">Which leaf.</param>
/// <param name="Acquired">The locks, in the order in which they are taken.</param>
/// <param name="ReleasedOnSuccess">The locks, in the order in which a call that succeeds drops them.</param>
/// <param name="ReleasedOnFailure">The order in which a call that fails drops those it holds.</param>
/// <param name="Kept">Locks that a call that succeeds keeps while the guest runs.</param>
public sealed record LockSummary(
    LeafId Leaf,
    ImmutableArray<LockRow> Acquired,
    ImmutableArray<LockColumn> ReleasedOnSuccess,
    ImmutableArray<LockColumn> ReleasedOnFailure,
    ImmutableArray<LockColumn> Kept)
{
    /// <summary>The mode of a lock; empty: the leaf does not take it.</summary>
    public string this[LockColumn column] => Acquired.FirstOrDefault(row => row.Column == column)?.Mode ?? "";

    /// <summary>The locks of a leaf.</summary>
    public static LockSummary Of<S>(Leaf<S> leaf)
        where S : struct, IState
    {
        LockRow[] acquired =
        [
            .. leaf.Steps.Where(step => step.Kind == StepKind.Lock).GroupBy(step => step.Lock!.Value.Id.Column())
                .Select(group => new LockRow(group.Key, ModeOf([.. group]), [.. group.Select(step => step.Failure.Status).Distinct()])),
        ];
        LockColumn[] early = [.. leaf.Steps.Where(step => step.Releases is not null).Select(step => step.Releases!.Value.Column()).Distinct()];
        LockColumn[] late = [.. leaf.Steps.Where(step => step.Kind == StepKind.Release).Select(step => step.Lock!.Value.Id.Column()).Distinct()];
        LockColumn[] left = [.. late.Except(early)];
        bool keeps = leaf.Steps.Any(step => step.Ends == CallEnd.InGuest);
        return new LockSummary(leaf.Id, [.. acquired], keeps ? [.. early] : [.. early, .. left], [.. late], keeps ? [.. left] : []);
    }

    // The mode is that of the smallest entry; its parents tell a PAMT walk from an implicit access.
    private static string ModeOf<S>(Step<S>[] steps)
        where S : struct, IState
    {
        LockUse[] uses = [.. steps.Select(step => step.Lock!.Value)];
        LockUse main = uses.FirstOrDefault(use => use.Mode != LockMode.Momentary && use.Id.PamtSize() <= 0);
        bool isPamt = uses[0].Id.PamtSize() >= 0;
        var words = new List<string>();
        if (uses.Any(use => use.Mode != LockMode.Momentary))
        {
            string way = !isPamt ? "" : uses.Any(use => use.Id.PamtSize() > 0 && use.Mode == LockMode.Shared) ? ", walk" : ", implicit";
            words.Add(main.Mode.Name() + way + (main.When.Length > 0 ? $" (if {main.When})" : ""));
        }

        words.AddRange(uses.Where(use => use.Mode == LockMode.Promoted && use.Id.PamtSize() == 1 && use.When != "it is PT_REG")
            .Select(use => $"2 MiB entry promoted to exclusive (if {use.When})"));
        words.AddRange(uses.Where(use => use.Mode == LockMode.Momentary).Select(use => $"large page's entry {use.Mode.Name()}"));
        return string.Join("; ", words);
    }
}
