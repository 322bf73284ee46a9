using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;

namespace TdxVerify.Properties.Runs;

/// <summary>An event of a sequence that can be carried out again.</summary>
/// <param name="Event">The event; its answers are those of the last time.</param>
/// <param name="Choice">The choice point that fails in it; None: none.</param>
/// <param name="AlsoFails">A second one, which the declared model reaches only after the first; None: none.</param>
public sealed record PlannedEvent(TraceEvent Event, ChoicePoint Choice, ChoicePoint AlsoFails = ChoicePoint.None)
{
    /// <summary>An event whose choice was not noted down: the status that was answered tells it.</summary>
    public static PlannedEvent AsAnswered(in TraceEvent e) =>
        new(e, e.HasOutput && ChoiceStatuses.Find(e.Output.Rax) is { } choice ? choice : ChoicePoint.None);
}
