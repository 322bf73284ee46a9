namespace TdxVerify.Properties.Schedules.Laws;

/// <summary>All laws of calls that overlap.</summary>
public static class InterleavingLaws
{
    /// <summary>New instances of all, in the order of reports.</summary>
    public static IReadOnlyList<InterleavingLaw> Create() =>
        [new NeverHaltsLaw(), new JustifiedBusyLaw(), new LocksAtRestLaw(), new PagesAtRestLaw(), new CountsAtRestLaw(), new StaleTlbLaw()];

    /// <summary>The laws of a run: those named, or without names those that hold of the module.</summary>
    public static IReadOnlyList<InterleavingLaw> Select(IReadOnlyList<string> names) =>
        [.. Create().Where(law => names.Count == 0 ? law.Name != NeverHaltsLaw.LawName : names.Contains(law.Name))];
}
