using TdxVerify.Abi;
using TdxVerify.Host;
using TdxVerify.Host.Kvm;

namespace TdxVerify.Properties.LockMaps;

/// <summary>SEAMCALLs that are alike: the same call, the same locks held, the same reaction to BUSY.</summary>
/// <param name="Kind">The SEAMCALL.</param>
/// <param name="Held">What is always held there.</param>
/// <param name="Phases">When it can be made.</param>
/// <param name="Sites">Where.</param>
public sealed record CallClass(CallKind Kind, HeldLocks Held, TdPhases Phases, IReadOnlyList<CallSite> Sites)
{
    /// <summary>The kernel functions that the paths are, each once.</summary>
    public IEnumerable<string> Paths => Sites.Select(site => site.PathName).Distinct();

    /// <summary>The kernel functions that make the call, each once.</summary>
    public IEnumerable<string> Functions => Sites.Select(site => site.Function).Distinct();

    /// <summary>A vCPU is kept out of the guest meanwhile by a flag or request.</summary>
    public HeldLock? Gate => Held.All.FirstOrDefault(held => held is { IsGate: true, IsExclusive: true });

    /// <summary>The locks of the kernel that are held, in the order in which the kernel takes them.</summary>
    public IEnumerable<HeldLock> Locks => Held.All.Where(held => !held.IsGate).OrderBy(held => held.Rank);

    /// <summary>Those locks in words.</summary>
    public string LocksText => string.Join(", ", Locks.Select(held => held.Text)) is { Length: > 0 } text ? text : "none";
}

/// <summary>A SEAMCALL that another can make busy, as far as the module goes, and what the kernel does about it.</summary>
/// <param name="Victim">Who is busy.</param>
/// <param name="Operand">With which operand.</param>
/// <param name="Maker">Who makes it.</param>
/// <param name="What">What guests do that make it: TDCALLs, accesses. Empty where no guest is in it.</param>
/// <param name="Phases">When both can be made.</param>
/// <param name="ExcludedBy">Kernel locks, flags or requests that keep the two apart, whatever they have in common. Empty: they can overlap.</param>
/// <param name="Open">Where they can overlap: what the two have in common.</param>
/// <param name="Then">What the host does then.</param>
public sealed record Overlap(
    CallClass Victim, string Operand, CallClass Maker, IReadOnlyList<string> What, TdPhases Phases,
    IReadOnlyList<string> ExcludedBy, IReadOnlyList<CallRelation> Open, IReadOnlyList<BusyWay> Then)
{
    /// <summary>Nothing in the kernel keeps the two apart.</summary>
    public bool CanOccur => Open.Count > 0;

    /// <summary>The host bugs the VM then.</summary>
    public bool Bugs => Then.Any(way => way.End == BusyEnd.Bug);
}

/// <summary>
/// Which BUSY a host's kernel locks exclude, which they do not, and what the host does then: the contention matrix of the
/// module joined with the locks that are held at each SEAMCALL. It covers all paths of the host, each run by any number of
/// threads of one VM, and of another VM where the calls are on no TD.
/// </summary>
public sealed class LockMap
{
    private LockMap(ModuleProfile profile, IReadOnlyList<CallClass> classes, IReadOnlyList<Overlap> overlaps)
    {
        Profile = profile;
        Classes = classes;
        Overlaps = overlaps;
    }

    /// <summary>The module.</summary>
    public ModuleProfile Profile { get; }

    /// <summary>The SEAMCALLs.</summary>
    public IReadOnlyList<CallClass> Classes { get; }

    /// <summary>All BUSY that the module knows between them.</summary>
    public IReadOnlyList<Overlap> Overlaps { get; }

    /// <summary>The map of a host.</summary>
    /// <param name="host">Its programs.</param>
    /// <param name="profile">The module.</param>
    /// <param name="workers">Threads for the contention matrix.</param>
    public static LockMap Of(HostPrograms host, ModuleProfile profile, int workers)
    {
        return Of(host, profile, OverlapCauses.Compute(profile, LeavesOf(host), workers));
    }

    /// <summary>The map of a host, with what the module's contention matrix says of its leaves.</summary>
    internal static LockMap Of(HostPrograms host, ModuleProfile profile, IReadOnlyList<OverlapCause> causes)
    {
        HostFacts facts = HostFacts.Of(host.All.Select(each => each.Program));
        CallClass[] classes = [.. ClassesOf(host, facts)];
        return new LockMap(profile, classes, [.. Join(classes, causes, facts)]);
    }

    /// <summary>The leaves that a host calls.</summary>
    internal static IReadOnlySet<HostLeaf> LeavesOf(HostPrograms host) => host.All.SelectMany(each => each.Program.WithCalled())
        .SelectMany(program => program.States).Select(state => state.Action).OfType<SeamcallAction>().Select(call => call.Leaf).ToHashSet();

    private static IEnumerable<CallClass> ClassesOf(HostPrograms host, HostFacts facts) =>
        from path in host.All
        from site in CallSite.Of(path.Path, path.Program, facts)
        where site.Phases != TdPhases.None
        let then = string.Join('|', Reaction(site, nameof(OperandId.SEPT_TREE), facts).Concat(Reaction(site, nameof(OperandId.TDR), facts)))
        group site by (site.Kind, site.Held, then) into alike
        orderby alike.Key.Kind.Name, alike.Key.Held.All.Length
        select new CallClass(alike.Key.Kind, alike.Key.Held, alike.Aggregate(TdPhases.None, (all, site) => all | site.Phases), [.. alike]);

    private static IEnumerable<string> Reaction(CallSite site, string operand, HostFacts facts) => BusyReaction.Of(site.Place, operand, facts).Select(way => way.Text);

    private static IEnumerable<Overlap> Join(CallClass[] classes, IReadOnlyList<OverlapCause> causes, HostFacts facts)
    {
        ILookup<(CallKind, CallKind), OverlapCause> byKinds = causes.ToLookup(cause => (cause.Victim, cause.Maker));
        foreach (CallClass victim in classes)
        {
            foreach (CallClass maker in classes)
            {
                foreach (IGrouping<string, OverlapCause> found in byKinds[(victim.Kind, maker.Kind)].GroupBy(cause => cause.Operand))
                {
                    if (Of(victim, maker, found.Key, [.. found], facts) is { } overlap)
                        yield return overlap;
                }
            }
        }
    }

    private static Overlap? Of(CallClass victim, CallClass maker, string operand, OverlapCause[] causes, HostFacts facts)
    {
        var excluded = new List<IEnumerable<string>>();
        var open = new List<OverlapCause>();
        var phases = TdPhases.None;
        foreach (OverlapCause cause in causes)
        {
            TdPhases together = cause.Relation.IsSameVm ? victim.Phases & maker.Phases : victim.Phases;
            if (together == TdPhases.None || AreInOrder(victim, maker, cause.Relation))
                continue;
            phases |= together;
            string[] by = [.. victim.Held.Excluding(maker.Held, cause.Relation)];
            if (by.Length > 0)
                excluded.Add(by);
            else
                open.Add(cause);
        }

        if (phases == TdPhases.None)
            return null;
        string[] what = [.. (open.Count > 0 ? open : [.. causes]).Select(cause => cause.What).Where(text => text.Length > 0).Distinct().Order(StringComparer.Ordinal)];
        return new Overlap(
            victim, operand, maker, what, phases,
            open.Count > 0 ? [] : [.. excluded.SelectMany(by => by).Distinct().Order(StringComparer.Ordinal)],
            [.. open.Select(cause => cause.Relation).Distinct()],
            BusyReaction.Of(victim.Sites[0].Place, operand, facts));
    }

    // A vCPU is run and flushed only once it is initialised (facts/kvm.md, X2); one thread destroys a VM, and reclaims its
    // pages only when every vCPU was flushed and is on no processor's list (X3).
    private static bool AreInOrder(CallClass victim, CallClass maker, CallRelation relation)
    {
        if (relation.IsSameVcpu && (IsOnly(victim, HostPath.InitVcpu) || IsOnly(maker, HostPath.InitVcpu)))
            return true;
        return relation.IsSameVm && ((IsOnly(victim, HostPath.DestroyVm) && IsOnly(maker, HostPath.DestroyVm)) || IsReclaimAndFlush(victim, maker) || IsReclaimAndFlush(maker, victim));
    }

    private static bool IsReclaimAndFlush(CallClass first, CallClass second) =>
        first.Kind.Leaf == HostLeaf.TDH_PHYMEM_PAGE_RECLAIM && IsOnly(first, HostPath.DestroyVm) && second.Kind.Leaf == HostLeaf.TDH_VP_FLUSH;

    private static bool IsOnly(CallClass calls, HostPath path) => calls.Sites.All(site => site.Path == path);
}
