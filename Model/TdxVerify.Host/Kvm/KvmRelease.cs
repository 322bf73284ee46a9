namespace TdxVerify.Host.Kvm;

/// <summary>A release of Linux whose KVM is described in facts/kvm.md.</summary>
public enum KvmRelease
{
    /// <summary>Linux 6.16: the first with TDX.</summary>
    V6_16,

    /// <summary>Linux 6.19: after the overhaul of locks and of PAGE.ADD.</summary>
    V6_19,
}

/// <summary>Names of releases.</summary>
public static class KvmReleases
{
    /// <summary>The name, such as <c>6.19</c>.</summary>
    public static string Name(this KvmRelease release) => release switch
    {
        KvmRelease.V6_16 => "6.16",
        _ => "6.19",
    };

    /// <summary>Where a program comes from: kernel file and release.</summary>
    internal static string In(this KvmRelease release, string file) => $"{file}, {release.Name()}";
}
