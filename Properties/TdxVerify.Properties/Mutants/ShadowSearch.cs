using TdxVerify.Model;
using TdxVerify.Model.Mutants;

namespace TdxVerify.Properties.Mutants;

internal sealed class ShadowSearch(MutantsOptions options, LeafSet<ArraysState> leaves, IReadOnlyList<Mutant<ArraysState>> mutants)
{
    public void Annotate(MutantVerdict?[] verdicts, ReachedSequence[] sequences)
    {
        _ = (options, leaves, mutants, verdicts, sequences);
    }
}
