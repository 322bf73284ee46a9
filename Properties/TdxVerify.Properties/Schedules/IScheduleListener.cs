using TdxVerify.Model;

namespace TdxVerify.Properties.Schedules;

/// <summary>Told what happens in a run of overlapping calls.</summary>
public interface IScheduleListener
{
    /// <summary>A step of a leaf was carried out.</summary>
    void Accessed(Leaf<BranchingState> list, int step, bool visible, in Call call);

    /// <summary>Another call goes on, or the run is over.</summary>
    void RunEnds(ScheduleRun run, in Agent agent);
}
