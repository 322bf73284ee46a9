namespace TdxVerify.Properties.Contention;

/// <summary>Calls that were not recorded, since module 1.5.01 does not have them: derived from recorded ones.</summary>
internal static class AddedInstances
{
    private const string VpInit = "VP.INIT v1";
    private const ulong Version1 = 1UL << 16;
    private const ulong UnusedX2ApicId = 0x40;

    /// <summary>The added calls of a scenario.</summary>
    public static IEnumerable<Instance> From(IEnumerable<Instance> recorded) =>
        from instance in recorded
        where instance.Name == VpInit
        select instance with
        {
            Name = $"{VpInit} (version 1)",
            Leaf = $"{instance.Leaf} (version 1)",
            Input = instance.Input with { Rax = instance.Input.Rax | Version1, R8 = UnusedX2ApicId },
        };
}
