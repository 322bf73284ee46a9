using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Properties.Explain;

/// <summary>Where statuses come from, according to the model's declared steps of both module profiles.</summary>
public sealed class ModelStatusOrigins : IStatusOrigins
{
    private const string Later = "module 1.5.05";

    private readonly LeafSet<ArraysState> _first = LeafSet<ArraysState>.Of(ModuleProfile.V1_5_01);
    private readonly LeafSet<ArraysState> _later = LeafSet<ArraysState>.Of(ModuleProfile.V1_5_05);
    private readonly LockConflicts<ArraysState> _conflicts;

    /// <summary>The declared steps.</summary>
    public ModelStatusOrigins()
    {
        _conflicts = new LockConflicts<ArraysState>(_later);
        Leaves = [.. LeafNames.ModelledHost.Select(leaf => leaf.Name()!), .. LeafNames.ModelledGuest.Select(leaf => leaf.Name()!)];
    }

    /// <inheritdoc/>
    public IReadOnlyCollection<string> Leaves { get; }

    /// <inheritdoc/>
    public IReadOnlyList<StatusOrigin> Find(StatusQuery query, string? leaf)
    {
        List<StatusOrigin> origins = [];
        foreach (Leaf<ArraysState> later in _later.All.Where(list => IsAsked(list, leaf)))
        {
            Leaf<ArraysState>? first = _first.All.FirstOrDefault(list => list.Id == later.Id);
            foreach ((int before, int after) in StepAlignment.Of(first ?? later.With([]), later))
            {
                if (Origin(query, first, before, later, after) is { } origin)
                    origins.Add(origin);
            }
        }

        return origins;
    }

    // A leaf's calls first pass the dispatcher of its side; TDH.VP.ENTER also returns what ends the guest's stay.
    private bool IsAsked(Leaf<ArraysState> list, string? leaf)
    {
        if (leaf is null || list.Id.BaseName == leaf)
            return true;
        if (!Leaves.Contains(leaf))
            return false;
        bool isGuest = leaf.StartsWith("TDG.", StringComparison.Ordinal);
        if (leaf == HostLeaf.TDH_VP_ENTER.Name() && list.Id.IsGuest)
            return true;
        return list.Id.Name == (isGuest ? _later.GuestDispatcher : _later.HostDispatcher).Id.Name;
    }

    private StatusOrigin? Origin(StatusQuery query, Leaf<ArraysState>? first, int before, Leaf<ArraysState> later, int after)
    {
        (Leaf<ArraysState> list, int index) = before >= 0 ? (first!, before) : (later, after);
        Step<ArraysState> step = list.Steps[index];
        if (StatusAt(query, step) is not { } status)
            return null;
        string profile = before < 0 && first is not null ? $" ({Later} only)"
            : before < 0 ? $" ({Later})"
            : after < 0 ? " (not in module 1.5.05)"
            : before != after ? $" (step {after + 1} in {Later})"
            : "";
        bool exits = list.Id.IsGuest && (step.Ends ?? step.Failure.End) != CallEnd.Returned;
        string end = exits ? " (TDH.VP.ENTER returns this)" : "";
        return new StatusOrigin(
            list.Id.Name, index + 1, step.Kind.Name(), step.Text + end + profile, status,
            step.Test is null || exits ? "" : StepText.RegistersAt(list, index), Holders(step));
    }

    // Bits 31:0 that the step fills in from the state match whatever they are.
    private static ulong? StatusAt(StatusQuery query, Step<ArraysState> step)
    {
        if (step.Test is null)
            return step.Ends?.HostStatus() is { } ending && query.Matches(ending) ? ending : null;
        if (step.Failure.End is not (CallEnd.Returned or CallEnd.EmulatedEptViolation))
            return step.Failure.End.HostStatus() is { } exit && query.Matches(exit) ? exit : null;
        ulong status = step.Failure.Status;
        return step.Failure.Detail is FailureDetail.LevelInStatus or FailureDetail.X2ApicIdInStatus
            ? new StatusCode(status).Base == query.Status.Base ? query.Status.Value : null
            : query.Matches(status) ? status : null;
    }

    private string Holders(Step<ArraysState> step)
    {
        if (step.Kind != StepKind.Lock)
            return "";
        LockUse wanted = step.Lock!.Value;
        return $"{wanted.Name()}, wanted {wanted.Mode.Name()}: {string.Join("; ", _conflicts.HoldersAgainst(wanted))}";
    }
}
