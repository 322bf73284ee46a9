using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>Calls that can hold a lock against another one, all in the same way.</summary>
/// <param name="How">In which way, such as <c>held shared by</c>.</param>
/// <param name="Holders">The leaves, conditions included, or what else holds it.</param>
public sealed record LockHolderGroup(string How, IReadOnlyList<string> Holders)
{
    /// <inheritdoc/>
    public override string ToString() => $"{How} {string.Join(", ", Holders)}";
}

/// <summary>Who can hold a lock against a step that asks for it, read off the declared steps of all leaves.</summary>
/// <typeparam name="S">The layout of the state.</typeparam>
public sealed class LockConflicts<S>(LeafSet<S> leaves)
    where S : struct, IState
{
    private const string OfLargePage = "it is PT_REG";
    private const string RunningVcpu = "a vCPU in the guest (from its TDH.VP.ENTER to its TD exit)";

    private readonly (Leaf<S> Leaf, Step<S> Step)[] _uses =
        [.. leaves.All.SelectMany(leaf => leaf.Steps.Where(step => step.Kind == StepKind.Lock).Select(step => (leaf, step)))];

    /// <summary>Who can make a lock step of a leaf fail.</summary>
    public IReadOnlyList<LockHolderGroup> HoldersAgainst(LockUse wanted)
    {
        if (wanted.Id.PamtSize() > 0)
            return AgainstLargeEntry(wanted);
        List<LockHolderGroup> groups = Against(wanted);
        if (wanted.Mode == LockMode.Guest)
            groups.Add(new LockHolderGroup("held back by", ["host priority, set by a host call that found the entry locked, until a host call is granted the lock"]));
        return groups;
    }

    private List<LockHolderGroup> Against(LockUse wanted)
    {
        var groups = new List<LockHolderGroup>();
        bool isOfVcpu = wanted.Id.Column() is LockColumn.TdrPamt or LockColumn.TdvprPamt;
        foreach (IGrouping<LockMode, (Leaf<S> Leaf, Step<S> Step)> group in _uses
            .Where(use => IsSameLock(wanted, use.Leaf, use.Step.Lock!.Value) && Conflict(wanted.Mode, use.Step.Lock.Value.Mode))
            .GroupBy(use => use.Step.Lock!.Value.Mode))
        {
            IEnumerable<string> holders = Names([.. group]);
            groups.Add(new LockHolderGroup($"held {group.Key.Name()} by", [.. isOfVcpu && group.Key == LockMode.Shared ? holders.Prepend(RunningVcpu) : holders]));
        }

        return groups;
    }

    // The 1 GiB and 2 MiB entries are parents of many pages: who holds one exclusively works on a whole large page, and
    // who holds it shared on any page below it.
    private List<LockHolderGroup> AgainstLargeEntry(LockUse wanted)
    {
        string range = wanted.Id.PamtSize() == 2 ? "1 GiB" : "2 MiB";
        var groups = new List<LockHolderGroup>
        {
            new("held exclusive, as a large page, by", [.. _uses.Where(use => TakesLargePage(use.Leaf, use.Step.Lock!.Value)).Select(use => use.Leaf.Id.BaseName).Distinct()]),
        };
        if (wanted.Mode != LockMode.Shared)
            groups.Add(new LockHolderGroup("held shared by", [$"every call that walks to a page in the same {range}, and a vCPU in the guest whose TDVPR is there"]));
        return groups;
    }

    private static bool Conflict(LockMode wanted, LockMode held) => wanted != LockMode.Shared || held != LockMode.Shared;

    // PHYMEM leaves take any page, whatever it is; a page that an entry maps may be another call's target.
    private static bool IsSameLock(LockUse wanted, Leaf<S> leaf, LockUse held)
    {
        if (held.Mode == LockMode.Momentary || held.Id.PamtSize() > 0)
            return false;
        if (wanted.Id.Column() == held.Id.Column())
            return true;
        if (wanted.Id.PamtSize() < 0 || held.Id.PamtSize() < 0)
            return wanted.Id.Column() is LockColumn.SeptEntry or LockColumn.SeptChildren && held.Id.Column() is LockColumn.SeptEntry or LockColumn.SeptChildren;
        return held.Id.Column() == LockColumn.TargetPamt && IsPhymem(leaf);
    }

    private static bool TakesLargePage(Leaf<S> leaf, LockUse held) => held.Mode switch
    {
        LockMode.Momentary => true,
        LockMode.Promoted => held.When != OfLargePage || IsPhymem(leaf),
        LockMode.Exclusive => held.Id.Column() == LockColumn.MappedPamt && MeetsLargePages(leaf),
        _ => false,
    };

    private static bool MeetsLargePages(Leaf<S> leaf)
    {
        Trigger trigger = Triggers.Of(leaf.Id);
        return SeptMachine.Declared.Transitions.Any(transition => transition.Trigger == trigger
            && transition.From is { } from && SeptStates.Leaf.Contains(from)
            && (transition.Guard?.Permits(new GuardContext(SeptLevel.Page2M, OpState.INITIALIZED, SeptState.FREE)) ?? true));
    }

    private static bool IsPhymem(Leaf<S> leaf) => leaf.Id.Name.StartsWith("TDH.PHYMEM.", StringComparison.Ordinal);

    // The version is named only where not every version of the leaf takes the lock so.
    private IEnumerable<string> Names((Leaf<S> Leaf, Step<S> Step)[] uses) =>
        uses.Select(use =>
        {
            bool all = leaves.All.Where(leaf => leaf.Id.BaseName == use.Leaf.Id.BaseName).All(leaf => uses.Any(other => other.Leaf == leaf));
            string name = all ? use.Leaf.Id.BaseName : use.Leaf.Id.Name;
            string when = use.Step.Lock!.Value.When;
            return when.Length > 0 ? $"{name} (if {when})" : name;
        }).Distinct();
}
