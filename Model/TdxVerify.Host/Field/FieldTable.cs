using System.Collections.Immutable;

namespace TdxVerify.Host.Field;

/// <summary>
/// The bugs of the field that can be shown in this model, each beside its fix. Not here, since the model does not have
/// what they are about: 7 and 21 (promotion, dynamic PAMT), 15 (lists of vCPUs), 17 (benign), 18 (MSRs).
/// </summary>
public static class FieldTable
{
    /// <summary>All, by the number of the bug.</summary>
    public static ImmutableArray<FieldCase> All { get; } = [.. RetryBugs.All, .. LockBugs.All, .. GuestBugs.All];

    /// <summary>The case with a name; null: there is none.</summary>
    public static FieldCase? Find(string name) => All.FirstOrDefault(each => each.Name == name);
}
