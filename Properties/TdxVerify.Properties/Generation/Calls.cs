using TdxVerify.Abi;

namespace TdxVerify.Properties.Generation;

/// <summary>The registers of calls.</summary>
internal static class Calls
{
    /// <summary>A call of a leaf.</summary>
    public static RegisterFile Registers(HostLeaf leaf, ulong rcx = 0, ulong rdx = 0, ulong r8 = 0, ulong r9 = 0) =>
        new() { Rax = (ulong)leaf, Rcx = rcx, Rdx = rdx, R8 = r8, R9 = r9 };

    /// <summary>A call of a leaf that takes a range and a TDR.</summary>
    public static RegisterFile AtRange(HostLeaf leaf, TdView td, Range range, ulong r8 = 0) =>
        Registers(leaf, PageInfo.Of(range.Gpa, range.Level).Value, td.Tdr, r8);
}
