using TdxVerify.Abi;
using TdxVerify.Model;
using TdxVerify.Properties.Contention;

namespace TdxVerify.Properties.LockMaps;

/// <summary>A SEAMCALL that returns TDX_OPERAND_BUSY to the host, and the one that makes it.</summary>
/// <param name="Victim">Who returns it.</param>
/// <param name="Operand">The operand.</param>
/// <param name="Maker">Who makes it.</param>
/// <param name="What">What the maker does, where that is about a guest: <c>TDG.ACCEPT</c>, an entry. Else empty.</param>
/// <param name="Relation">What the two have in common.</param>
public readonly record struct OverlapCause(CallKind Victim, string Operand, CallKind Maker, string What, CallRelation Relation);

/// <summary>The contention matrix as the host's threads meet it.</summary>
public static class OverlapCauses
{
    /// <summary>Explores the pairs of some leaves.</summary>
    /// <param name="profile">The module version.</param>
    /// <param name="leaves">The leaves.</param>
    /// <param name="workers">Threads.</param>
    public static IReadOnlyList<OverlapCause> Compute(ModuleProfile profile, IReadOnlySet<HostLeaf> leaves, int workers)
    {
        ContentionMatrix matrix = ContentionMatrix.Compute(
            ContentionRecordings.BuiltIn(), LeafSet<BranchingState>.Of(profile), workers,
            planned => leaves.Contains(CallKind.Of(planned.A).Leaf) && leaves.Contains(CallKind.Of(planned.B).Leaf));
        return [.. matrix.Pairs.Where(IsOfAHost).SelectMany(Of).Distinct()];
    }

    // A host has one page for each GPA, and a page that it allocates for the module's own use is nothing else.
    private static bool IsOfAHost(ContentionPair pair)
    {
        if (Takes(pair.A, pair.B) || Takes(pair.B, pair.A))
            return false;
        string[] parts = pair.Relation.Split(';');
        return !parts.Contains("same-page") || !parts.Any(part => part is "other-GPA" or "sibling-GPA" or "parent-child");
    }

    private static bool Takes(Instance instance, Instance other) =>
        OwnPage(instance) is { } page && (other.Pages.Contains(page) || OwnPage(other) == page);

    private static ulong? OwnPage(Instance instance) => CallKind.Of(instance).Leaf switch
    {
        HostLeaf.TDH_MEM_SEPT_ADD => instance.Input.R8,
        HostLeaf.TDH_VP_CREATE or HostLeaf.TDH_VP_ADDCX or HostLeaf.TDH_MNG_CREATE or HostLeaf.TDH_MNG_ADDCX => instance.Input.Rcx,
        _ => null,
    };

    private static IEnumerable<OverlapCause> Of(ContentionPair pair)
    {
        CallRelation relation = CallRelation.Of(pair);
        return Of(pair.A, pair.BusyA, pair.B, relation).Concat(Of(pair.B, pair.BusyB, pair.A, relation));
    }

    // BUSY of a TDCALL goes to the guest, and a vCPU that is in the guest has entered already.
    private static IEnumerable<OverlapCause> Of(Instance victim, IReadOnlyList<string> operands, Instance maker, CallRelation relation) =>
        victim.HasTdcall || victim.InGuest
            ? []
            : operands.Select(operand => new OverlapCause(CallKind.Of(victim), operand, CallKind.Of(maker), maker.IsOfVcpu ? WhatOf(maker) : "", relation));

    private static string WhatOf(Instance maker) => maker.Leaf switch
    {
        "VP.ENTER" => "entry",
        "VP.ENTER(zero-step list)" => "entry with GPAs listed as faulting",
        "VP.ENTER+read mapped" or "guest access" => "access",
        var leaf => leaf[(leaf.IndexOf('+', StringComparison.Ordinal) + 1)..],
    };
}
