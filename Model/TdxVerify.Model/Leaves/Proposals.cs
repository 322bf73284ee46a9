using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>The hypothetical profiles, each as changed steps of module 1.5.01 (facts/retry-proposals.md).</summary>
internal static class Proposals<S>
    where S : struct, IState
{
    /// <summary>The leaf as the profile has it; the leaf itself where the profile changes none of its steps.</summary>
    public static Leaf<S> Apply(ModuleProfile profile, Leaf<S> leaf) => profile switch
    {
        ModuleProfile.NoFreeEntryLock => leaf.Steps.Any(LocksEntryOfGuest) ? leaf.With(leaf.Steps.SelectMany(step => LeaveFreeEntryUnlocked(leaf, step))) : leaf,
        ModuleProfile.NoZeroStepTreeLock when leaf.Id == LeafId.Of(HostLeaf.TDH_VP_ENTER) => leaf.With(leaf.Steps.Where(step => !ConcernsTree(step))),
        _ => leaf,
    };

    private static bool LocksEntryOfGuest(Step<S> step) => step.Lock is { Id: LockId.SeptEntry, Mode: LockMode.Guest };

    // The exit is the one that the leaf makes under the lock, where it finds the entry in a state that it cannot use.
    private static IEnumerable<Step<S>> LeaveFreeEntryUnlocked(Leaf<S> leaf, Step<S> step)
    {
        if (LocksEntryOfGuest(step))
        {
            yield return new Step<S>
            {
                Kind = StepKind.Check, Text = "the entry that the walk found is not FREE (else TD exit, the entry is not locked)",
                Test = TdgMem<S>.WalkFoundNoFreeEntry, Failure = Failure.To(CallEnd.EptViolation),
                Argument = leaf.Steps.SkipWhile(earlier => earlier != step).First(later => later.Failure.End == CallEnd.EptViolation).Argument,
            };
        }

        yield return step;
    }

    private static bool ConcernsTree(Step<S> step) => step.Lock?.Id == LockId.SeptTree || step.Releases == LockId.SeptTree;
}
