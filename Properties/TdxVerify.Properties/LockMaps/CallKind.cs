using TdxVerify.Abi;
using TdxVerify.Host;
using TdxVerify.Properties.Contention;

namespace TdxVerify.Properties.LockMaps;

/// <summary>A SEAMCALL as far as its locks depend on how it is made.</summary>
/// <param name="Leaf">The leaf.</param>
/// <param name="Level">The level of its S-EPT entry; 0 where it names none.</param>
/// <param name="Version">The version.</param>
public readonly record struct CallKind(HostLeaf Leaf, int Level, int Version)
{
    private const int VersionShift = 16;
    private const ulong LeafMask = 0xFFFF;

    /// <summary>Its name.</summary>
    public string Name => $"{Leaf.Name()}{Level switch { 0 => "", SeptLevel.Page2M => " 2M", _ => $" level {Level}" }}{(Version > 0 ? $" version {Version}" : "")}";

    /// <summary>That of a program's action.</summary>
    public static CallKind Of(SeamcallAction action) => new(action.Leaf, NamesEntry(action.Leaf) ? action.Level : 0, action.Version);

    /// <summary>That of a call of the contention matrix: what a guest does is part of its TDH.VP.ENTER.</summary>
    public static CallKind Of(Instance instance)
    {
        if (instance.IsOfVcpu)
            return new CallKind(HostLeaf.TDH_VP_ENTER, 0, 0);
        var leaf = (HostLeaf)(instance.Input.Rax & LeafMask);
        return new CallKind(leaf, NamesEntry(leaf) ? instance.Level : 0, (int)(instance.Input.Rax >> VersionShift & 0xFF));
    }

    private static bool NamesEntry(HostLeaf leaf) => LeafOperands.Of(leaf).Any(operand => operand.Kind == OperandKind.PageInfo);
}
