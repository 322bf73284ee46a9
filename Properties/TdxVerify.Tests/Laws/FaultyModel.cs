using TdxVerify.Abi;
using TdxVerify.Model;
using TdxVerify.Model.Mutants;
using TdxVerify.Properties.Choices;
using TdxVerify.Properties.Generation;
using TdxVerify.Properties.Laws;
using TdxVerify.Properties.Mutants;
using TdxVerify.Properties.Runs;
using Xunit;

namespace TdxVerify.Tests.Laws;

/// <summary>What may be wrong with a step.</summary>
public enum Fault
{
    Dropped, OtherStatus, BusyStatus, OtherOperand, SwappedWithNext, ThresholdPlus1, ThresholdMinus1, NoDetails,
}

/// <summary>The model with one step of one leaf changed by hand, under one law alone: no port, no conformance.</summary>
internal static class FaultyModel
{
    private const int Operations = 1000;

    /// <summary>What a law says of a model whose first step with this text in this leaf has a fault; it fails if the law says nothing.</summary>
    public static string Complaint(string law, string leaf, string step, Fault fault, ModuleProfile profile = ModuleProfile.V1_5_01, int sequences = 150)
    {
        RunFailure? failure = Run(law, new PlatformInfo { Profile = profile }, set => set.With(Alter(set.All.Single(l => l.Id.Name == leaf), step, fault)), sequences);
        Assert.True(failure is not null, $"{law} does not notice: {leaf}, \"{step}\" {fault}");
        return failure.Reason;
    }

    /// <summary>What a law says of a mutant of a leaf on the sweeps of that leaf; it fails if the law says nothing.</summary>
    public static string ComplaintOfMutant(string law, string leaf, string fault)
    {
        var platform = new PlatformInfo();
        LeafSet<ObservedState> faulty = Mutant(LeafSet<ObservedState>.Of(platform.Profile), leaf, fault);
        HostLeaf swept = LeafNames.ModelledHost.Single(number => number.Name() == leaf);
        var runner = new EventRunner(new ModelPort<ObservedState>(new ObservedState(platform), faulty), null, [LawBook.Create().Single(l => l.Name == law)]);
        foreach (ReachedSequence sequence in SequencePool.Sweep(platform, [swept], () => false))
        {
            PlannedEvent[] events = [.. sequence.Events.Zip(sequence.Choices, (e, choice) => new PlannedEvent(e, choice))];
            if (PlanRunner.Run(runner, events) is { } failure)
                return failure.Reason;
        }

        Assert.Fail($"{law} does not notice: {leaf}, {fault}");
        return "";
    }

    /// <summary>The set with the one mutant of a leaf whose name contains this.</summary>
    public static LeafSet<ObservedState> Mutant(LeafSet<ObservedState> declared, string leaf, string fault) => MutantDerivation<ObservedState>.Derive(declared)
        .Single(mutant => mutant.Leaf.Name == leaf && mutant.Id.Contains(fault, StringComparison.Ordinal)).Apply(declared);

    /// <summary>Random sequences under one law.</summary>
    public static RunFailure? Run(string law, PlatformInfo platform, Func<LeafSet<ObservedState>, LeafSet<ObservedState>> alter, int sequences)
    {
        var model = new ModelPort<ObservedState>(new ObservedState(platform), alter(LeafSet<ObservedState>.Of(platform.Profile)));
        var runner = new SequenceRunner(new EventRunner(model, null, [LawBook.Create().Single(l => l.Name == law)]), GenerationLimits.None);
        for (int i = 0; i < sequences; i++)
        {
            if (runner.Run(ChoiceStream.FromSeed((ulong)i, Operations)) is { } failure)
                return failure;
        }

        return null;
    }

    private static Leaf<ObservedState> Alter(Leaf<ObservedState> leaf, string text, Fault fault)
    {
        int index = leaf.Steps.ToList().FindIndex(step => step.Text.Contains(text, StringComparison.Ordinal));
        Assert.True(index >= 0, $"{leaf.Id.Name} has no step \"{text}\"");
        Step<ObservedState> step = leaf.Steps[index];
        return leaf.With(fault switch
        {
            Fault.Dropped => leaf.Steps.RemoveAt(index),
            Fault.SwappedWithNext => leaf.Steps.SetItem(index, leaf.Steps[index + 1]).SetItem(index + 1, step),
            Fault.OtherStatus => leaf.Steps.SetItem(index, step with { Failure = step.Failure with { Status = Status.TDX_SYS_BUSY } }),
            Fault.BusyStatus => leaf.Steps.SetItem(index, step with { Failure = Failure.Of(Status.TDX_OPERAND_BUSY, Register.Rcx) }),
            Fault.OtherOperand => leaf.Steps.SetItem(index, step with { Failure = step.Failure with { Status = step.Failure.Status ^ 8 } }),
            Fault.NoDetails => leaf.Steps.SetItem(index, step with { Failure = step.Failure with { Detail = FailureDetail.None } }),
            Fault.ThresholdPlus1 => leaf.Steps.SetItem(index, step with { Argument = step.Argument + 1 }),
            _ => leaf.Steps.SetItem(index, step with { Argument = step.Argument - 1 }),
        });
    }
}
