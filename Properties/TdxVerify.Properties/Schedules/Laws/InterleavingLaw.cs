using TdxVerify.Model;

namespace TdxVerify.Properties.Schedules.Laws;

/// <summary>
/// A law of calls that overlap. It is asked after each access, after each visible step, and when all calls have ended;
/// it shares no rule with the model's leaves but where the lock words are.
/// </summary>
/// <param name="name">Its name, as <c>--law</c> takes it.</param>
/// <param name="statement">What it says, in a sentence.</param>
public abstract class InterleavingLaw(string name, string statement)
{
    /// <summary>Its name.</summary>
    public string Name => name;

    /// <summary>What it says.</summary>
    public string Statement => statement;

    /// <summary>How often there was something to judge: a law that never had held for want of anything to hold for.</summary>
    public long Judged { get; protected set; }

    /// <summary>A platform is prepared: this is the state that the runs to come start from.</summary>
    public virtual void Prepared(ConcurrentView view)
    {
    }

    /// <summary>A run begins.</summary>
    public virtual void Begin(ConcurrentView view)
    {
    }

    /// <summary>A step of a leaf was carried out; null: the law holds.</summary>
    public virtual string? AfterAccess(ConcurrentView view, Leaf<BranchingState> list, int step, in Call call) => null;

    /// <summary>A visible step was made; null: the law holds.</summary>
    public virtual string? AfterStep(ConcurrentView view) => null;

    /// <summary>All calls have ended; null: the law holds.</summary>
    public virtual string? AtRest(ConcurrentView view) => null;
}
