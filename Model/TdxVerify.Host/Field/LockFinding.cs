using TdxVerify.Host.Kvm;

namespace TdxVerify.Host.Field;

/// <summary>SEAMCALLs that nothing in the kernel keeps apart, as a small system that shows what comes of it.</summary>
/// <param name="Name"><c>bad_...</c>, or <c>good_...</c> for the same system with a host in which it cannot happen.</param>
/// <param name="Release">The release that it is about.</param>
/// <param name="What">What goes wrong, or why it does not.</param>
public sealed record LockFinding(string Name, KvmRelease Release, string What)
{
    /// <summary>The system.</summary>
    public required Configuration Configuration { get; init; }

    /// <summary>The event that shows it: in a bad system some run comes to it, in a good one no run does.</summary>
    public string Shows { get; init; } = HostEvents.HostBug;

    /// <summary>It happens.</summary>
    public bool IsBad => Name.StartsWith("bad_", StringComparison.Ordinal);
}
