using TdxVerify.Abi;
using TdxVerify.Model;
using TdxVerify.Properties.Campaigns;

namespace TdxVerify.Cli.Commands;

/// <summary>What a run covered of each leaf, from the counts of the steps that decided.</summary>
internal static class Distribution
{
    /// <summary>Answers of a leaf, the most frequent first; statuses that differ only in details count as one.</summary>
    public static IEnumerable<(string Status, long Count)> Statuses(LeafReport leaf)
    {
        var counts = new Dictionary<string, long>();
        if (leaf.Success > 0)
            counts["TDX_SUCCESS"] = leaf.Success;
        for (int step = 1; step < leaf.Failed.Count; step++)
        {
            if (leaf.Failed[step] == 0)
                continue;
            string status = Answer(leaf.Steps[step - 1].Failure);
            counts[status] = counts.GetValueOrDefault(status) + leaf.Failed[step];
        }

        return counts.OrderByDescending(item => item.Value).Select(item => (item.Key, item.Value));
    }

    /// <summary>The steps, from 1, that can decide against a call.</summary>
    public static IEnumerable<int> CheckSteps(LeafReport leaf) =>
        Enumerable.Range(1, leaf.Steps.Count).Where(step => leaf.Steps[step - 1].Test is not null);

    /// <summary>Those of them that never did.</summary>
    public static IEnumerable<int> NotCovered(LeafReport leaf) => CheckSteps(leaf).Where(step => leaf.Failed[step] == 0);

    private static string Answer(Failure failure) => failure.End switch
    {
        CallEnd.Returned => failure.Detail == FailureDetail.LevelInStatus
            ? new StatusCode(failure.Status).Info!.Name
            : new StatusCode(failure.Status).Name,
        CallEnd.EmulatedEptViolation => "emulated EPT violation",
        CallEnd.EptViolation => "TD exit: EPT violation",
        CallEnd.InterruptExit => "TD exit: external interrupt",
        CallEnd.Vmcall => "TD exit: VMCALL",
        CallEnd.NonAccessible => "TD exit: fatal TD",
        CallEnd.VirtualizationException => "#VE",
        CallEnd.PageFault => "#PF",
        CallEnd.AccessDone => "access done",
        _ => failure.End.ToString(),
    };
}
