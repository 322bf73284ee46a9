using TdxVerify.Host;

namespace TdxVerify.Properties.Exploration;

/// <summary>What an exploration leaves out or takes as one, so that a reader knows what its verdict is about.</summary>
public static class Abstractions
{
    /// <summary>A line for each.</summary>
    public static IEnumerable<string> Of(Configuration configuration, bool symmetry, bool partialOrder)
    {
        yield return configuration.AbsoluteEpochs
            ? "epochs are numbers that grow: the space has no end"
            : "epochs are kept by age (current, previous, older): the module compares them in no other way";
        yield return "what no later step can read is cleared: locals of calls, list entries behind the list's length, #VE information that was read, owner and BEPOCH of a page of nobody";
        yield return "readers that a refused attempt leaves counted in a lock word are dropped at once: they would make later attempts fail";
        yield return "a step is one access to shared state with the local work after it; accesses are seen by all processors in one order";
        if (configuration.JoinsUnseenSteps)
            yield return "accesses that nobody in the scenario can notice join the step before: attempts at locks that every call takes shared, their releases, entries that never change";
        if (configuration.JoinsGuardedSteps)
            yield return "so do accesses that a lock in the hands of the call keeps from being noticed, and those to what is the call's alone";
        if (configuration.ForgetsUnread)
            yield return "what nobody in the scenario looks at is forgotten at once: which error a call returns, why a guest left, host priority where no TDCALL takes a lock, in which epoch a vCPU ran last where no page is ever mapped";
        if (!configuration.SplitsLocks)
            yield return "an attempt at a lock is one access, though the module makes it with several instructions";
        if (!configuration.Laws.HasFlag(HostLaws.Locks))
            yield return "who holds what is not recorded beside the lock words: that every BUSY is justified is not looked at";
        yield return configuration.Interrupts switch
        {
            InterruptMode.Absent => "no interrupt comes but those that a program sends",
            InterruptMode.Fair => "an interrupt may come after any instruction of a guest, at least one being carried out after each entry, and comes again and again",
            _ => "an interrupt may come at any instruction of a guest, before the first too",
        };
        if (symmetry)
            yield return "states that differ only by names of interchangeable vCPUs, agents and pages are one";
        if (partialOrder)
            yield return "of independent steps one order is explored: counterexamples are not the shortest";
    }
}
