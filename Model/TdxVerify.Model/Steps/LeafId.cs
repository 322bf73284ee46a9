using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>What a declared list of steps stands for: a leaf, or what the processor and the module do by themselves.</summary>
/// <param name="Name">The name in the specification, with the version where versions have different steps.</param>
/// <param name="IsGuest">Executed for a vCPU, not for the host.</param>
/// <param name="Number">The leaf number; -1 for what is no leaf.</param>
public readonly record struct LeafId(string Name, bool IsGuest, int Number)
{
    private const string VersionSuffix = " (version ";

    /// <summary>The name without version.</summary>
    public string BaseName => Name.IndexOf(VersionSuffix, StringComparison.Ordinal) is >= 0 and var end ? Name[..end] : Name;

    /// <summary>A SEAMCALL leaf.</summary>
    public static LeafId Of(HostLeaf leaf, string suffix = "") => new(leaf.Name() + suffix, false, (int)leaf);

    /// <summary>A TDCALL leaf.</summary>
    public static LeafId Of(GuestLeaf leaf) => new(leaf.Name()!, true, (int)leaf);

    /// <inheritdoc/>
    public override string ToString() => Name;
}
