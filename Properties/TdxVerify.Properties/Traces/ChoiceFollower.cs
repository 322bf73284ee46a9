using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Properties.Traces;

/// <summary>
/// Lets the choice points of a port that can be steered fail where the recording says that they did: the hardware that
/// was recorded decided so.
/// </summary>
/// <param name="choices">The port.</param>
internal sealed class ChoiceFollower(IChoiceControl choices) : IChoiceOracle
{
    /// <summary>What follows a recording on this port: the port itself, or its choice points; null: it decides by itself.</summary>
    public static IChoiceOracle? Of(IPort port) => port switch
    {
        IChoiceOracle oracle => oracle,
        IChoiceControl control => new ChoiceFollower(control),
        _ => null,
    };

    /// <inheritdoc/>
    public void Observe(ulong rax)
    {
        choices.ClearChoices();
        if (ChoiceStatuses.Find(rax) is { } choice)
            choices.FailNext(choice);
    }
}
