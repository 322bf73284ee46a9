using TdxVerify.Abi;

namespace TdxVerify.Model.Mutants;

/// <summary>
/// Derives the mutants of a set of leaves from the declared steps, mechanically: nothing here knows a leaf. The order,
/// and so the position of each mutant, is the same for every layout of the state.
/// </summary>
/// <typeparam name="S">The layout of the state.</typeparam>
public static class MutantDerivation<S>
    where S : struct, IState
{
    /// <summary>All mutants, leaf by leaf and step by step.</summary>
    public static IReadOnlyList<Mutant<S>> Derive(LeafSet<S> leaves) => [.. leaves.All.SelectMany(Derive)];

    private static IEnumerable<Mutant<S>> Derive(Leaf<S> leaf)
    {
        bool hasEntry = leaf.Steps.Any(step => step.Failure.Detail == FailureDetail.SeptEntry);
        for (int index = 0; index < leaf.Steps.Length; index++)
        {
            Step<S> step = leaf.Steps[index];
            IEnumerable<Mutant<S>> mutants = step.Kind switch
            {
                StepKind.Check or StepKind.Choice or StepKind.Lock => OfTest(leaf, index, step, hasEntry),
                StepKind.Effect => OfEffect(leaf, index, step),
                // A failed call goes through the releases as well.
                StepKind.Release => [Replace(leaf, index, MutantKind.ReleaseDropped, MutantReach.Calls, "release dropped", step with { Action = Nothing })],
                _ => [],
            };
            foreach (Mutant<S> mutant in mutants)
                yield return mutant;
        }

        // Dispatchers, accesses and exits have no success status of their own.
        if (leaf.Id.Number >= 0)
            yield return OfSuccess(leaf);
    }

    private static IEnumerable<Mutant<S>> OfTest(Leaf<S> leaf, int index, Step<S> step, bool hasEntry)
    {
        if (step.Kind == StepKind.Lock)
        {
            foreach ((MutantKind kind, string fault, StepTest<S> test) in LockFaults<S>.Of(step))
                yield return Replace(leaf, index, kind, MutantReach.Reaches, fault, step with { Test = test });
        }
        else
        {
            string what = step.Kind == StepKind.Choice ? "choice point dropped" : "check dropped";
            yield return Replace(leaf, index, MutantKind.CheckDropped, MutantReach.Fails, what, step with { Test = Ignored(step.Test!) });
        }

        if (index + 1 < leaf.Steps.Length && leaf.Steps[index + 1].Test is not null)
            yield return Swap(leaf, index);
        foreach ((MutantKind kind, string fault, Failure failure) in FailureFaults.Of(step.Failure, hasEntry))
            yield return Replace(leaf, index, kind, MutantReach.Fails, fault, step with { Failure = failure });
        if (step.Undo is not null)
            yield return Replace(leaf, index, MutantKind.UndoDropped, MutantReach.Fails, "undo dropped", step with { Undo = null });
        foreach (Mutant<S> mutant in OfArgument(leaf, index, step))
            yield return mutant;
    }

    private static IEnumerable<Mutant<S>> OfEffect(Leaf<S> leaf, int index, Step<S> step)
    {
        yield return Replace(leaf, index, MutantKind.EffectDropped, MutantReach.Reaches, "effect dropped", step with { Action = Nothing });
        foreach (Register register in step.Writes)
        {
            yield return Replace(
                leaf, index, MutantKind.OutputAltered, MutantReach.Reaches, $"{register.ToString().ToUpperInvariant()} altered",
                step with { Action = WithAltered(step.Action!, register) });
        }

        foreach (Mutant<S> mutant in OfArgument(leaf, index, step))
            yield return mutant;
    }

    private static IEnumerable<Mutant<S>> OfArgument(Leaf<S> leaf, int index, Step<S> step)
    {
        foreach ((MutantKind kind, string fault, int argument) in ArgumentFaults.Of(step.Argument, step.IsThreshold, step.ArgumentKind))
            yield return Replace(leaf, index, kind, MutantReach.Reaches, fault, step with { Argument = argument });
    }

    private static Mutant<S> OfSuccess(Leaf<S> leaf)
    {
        var altered = new Step<S>
        {
            Kind = StepKind.Effect,
            Text = "another status",
            Action = static (ref S s, ref Call c, int argument) => c.Status = FailureFaults.OtherClass(c.Status),
        };
        return new Mutant<S>(leaf.Id, 0, MutantKind.SuccessAltered, MutantReach.Calls, "success status altered", steps =>
        {
            int end = steps.TakeWhile(step => step.Kind != StepKind.Release).Count();
            return [.. steps.Take(end), altered, .. steps.Skip(end)];
        });
    }

    private static Mutant<S> Swap(Leaf<S> leaf, int index)
    {
        string next = leaf.Steps[index + 1].Text;
        return new Mutant<S>(
            leaf.Id, index + 1, MutantKind.StepsSwapped, MutantReach.FailsHereOrNext,
            $"swapped with step {index + 2}: {leaf.Steps[index].Text} / {next}",
            steps => [.. steps.Take(index), steps[index + 1], steps[index], .. steps.Skip(index + 2)]);
    }

    private static Mutant<S> Replace(Leaf<S> leaf, int index, MutantKind kind, MutantReach reach, string fault, Step<S> altered) =>
        new(
            leaf.Id, index + 1, kind, reach, $"{fault}: {altered.Text}",
            steps => [.. steps.Take(index), altered, .. steps.Skip(index + 1)]);

    private static StepTest<S> Ignored(StepTest<S> test) => (ref S s, ref Call c, int argument) =>
    {
        test(ref s, ref c, argument);
        return true;
    };

    private static StepAction<S> WithAltered(StepAction<S> action, Register register) => (ref S s, ref Call c, int argument) =>
    {
        action(ref s, ref c, argument);
        c.Out[register] ^= 1;
    };

    private static void Nothing(ref S s, ref Call c, int argument)
    {
    }
}
