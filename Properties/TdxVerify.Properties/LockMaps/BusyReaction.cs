using TdxVerify.Abi;
using TdxVerify.Host;
using TdxVerify.Host.Kvm;

namespace TdxVerify.Properties.LockMaps;

/// <summary>What the host comes to when a SEAMCALL was busy.</summary>
public enum BusyEnd
{
    /// <summary>The same SEAMCALL again.</summary>
    Again,

    /// <summary>Another SEAMCALL.</summary>
    OtherCall,

    /// <summary>The path ends: back to user space, or to whoever began it.</summary>
    PathEnds,

    /// <summary>KVM_BUG_ON.</summary>
    Bug,
}

/// <summary>One way in which the host goes on after BUSY, up to the next SEAMCALL.</summary>
/// <param name="End">What it comes to.</param>
/// <param name="What">That in words.</param>
/// <param name="Notes">What others notice of it on the way, and on what it depends.</param>
public sealed record BusyWay(BusyEnd End, string What, IReadOnlyList<string> Notes)
{
    /// <summary>In words.</summary>
    public string Text => string.Join(", ", [.. Notes, What]);

    /// <summary>Whether it comes to that depends on more than the BUSY.</summary>
    public bool IsConditional => Notes.Any(note => note.StartsWith("if ", StringComparison.Ordinal));
}

/// <summary>What the host does when a SEAMCALL is busy: found by following its program from there.</summary>
internal static class BusyReaction
{
    private const int CostOfANote = 1000;

    /// <summary>Each thing that it may come to, by the way with the fewest conditions.</summary>
    /// <param name="call">The place of the SEAMCALL.</param>
    /// <param name="operand">The operand that is busy.</param>
    /// <param name="facts">What other threads do.</param>
    public static IReadOnlyList<BusyWay> Of(Place call, string operand, HostFacts facts)
    {
        ulong status = Status.TDX_OPERAND_BUSY + (Enum.TryParse(operand, out OperandId id) ? (ulong)id : 0);
        var ways = new List<BusyWay>();
        if (ProgramWalk.NextAfter(call, status) is not { } first)
            return ways;
        HashSet<Place> seen = [];
        var left = new PriorityQueue<(Place Place, string[] Notes, int Steps), int>();
        left.Enqueue((first, [], 0), 0);
        while (left.TryDequeue(out (Place Place, string[] Notes, int Steps) at, out _))
        {
            if (!seen.Add(at.Place))
                continue;
            if (EndOf(at.Place, (SeamcallAction)call.State.Action) is { } end)
            {
                if (ways.TrueForAll(way => way.End != end.End || way.What != end.What))
                    ways.Add(new BusyWay(end.End, end.What, at.Notes));
                continue;
            }

            foreach (Place next in ProgramWalk.Next(at.Place, facts))
            {
                string[] notes = NoteOf(at.Place, next) is { } note && !at.Notes.Contains(note) ? [.. at.Notes, note] : at.Notes;
                left.Enqueue((next, notes, at.Steps + 1), (notes.Length * CostOfANote) + at.Steps + 1);
            }
        }

        return [.. ways.OrderBy(way => way.IsConditional)];
    }

    private static (BusyEnd End, string What)? EndOf(Place place, SeamcallAction call) => place.State.Action switch
    {
        SeamcallAction same when CallKind.Of(same) == CallKind.Of(call) => (BusyEnd.Again, "again"),
        SeamcallAction other => (BusyEnd.OtherCall, CallKind.Of(other).Name),
        BugVmAction bug => (BusyEnd.Bug, bug.Text),
        DoneAction => (BusyEnd.PathEnds, "the path ends"),
        ReturnAction when place.Frame.Caller is null => (BusyEnd.PathEnds, "the path ends"),
        _ => null,
    };

    private static string? NoteOf(Place place, Place next) => place.State.Action switch
    {
        WriteVariableAction { Value: not 0 } set => $"{set.Variable} set",
        WriteVariableAction clear => $"{clear.Variable} cleared",
        KickAction { Request: { } request } => $"{request} made, all kicked",
        KickAction => "all kicked",
        ReadSpteAction { Level: > 0 } when Took(place, next, MirrorSpte.None) => "if the table is missing",
        ReadSpteAction { Level: 0 } when Took(place, next, MirrorSpte.FirstPresent) => "if the page was mapped meanwhile",
        ChoiceAction choice when Took(place, next, 1) => $"if {choice.What}",
        CheckRequestAction check when Took(place, next, 1) => $"if {check.Request}",
        TestVariableAction { Variable: not KvmVariables.Runnable, Value: 1 } test when Took(place, next, 1) => $"if {test.Variable}",
        CountAction when Took(place, next, 0) => "after the last retry",
        InvalidateRetryAction when Took(place, next, 1) => "if invalidated",
        _ => null,
    };

    private static bool Took(Place place, Place next, ulong answer) =>
        place.State.Transitions.FirstOrDefault(transition => transition.When.Holds(new Answer(new RegisterFile { Rax = answer })))?.To == next.State.Name;
}
