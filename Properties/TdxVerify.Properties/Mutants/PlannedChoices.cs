using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Properties.Mutants;

/// <summary>
/// Lets the choice points of a model fail as they did when a sequence was made, whatever was answered then. A mutant
/// may come to a choice point by another way, and show by that what is wrong in it.
/// </summary>
internal sealed class PlannedChoices(ModelPort<ArraysState> model) : IChoiceOracle
{
    private ChoicePoint _first;
    private ChoicePoint _second;

    /// <summary>What fails in the next call.</summary>
    public void Plan(ChoicePoint first, ChoicePoint second) => (_first, _second) = (first, second);

    /// <inheritdoc/>
    public void Observe(ulong rax)
    {
        model.ClearChoices();
        if (_first != ChoicePoint.None)
            model.FailNext(_first);
        if (_second != ChoicePoint.None)
            model.FailNext(_second);
    }
}
