using System.Numerics;
using TdxVerify.Abi;

namespace TdxVerify.Hardware.Trace;

/// <summary>A set of registers: one bit for each, at the register's x86 number.</summary>
/// <param name="Bits">The bits.</param>
public readonly record struct RegisterSet(ushort Bits)
{
    /// <summary>How many registers are in the set.</summary>
    public int Count => BitOperations.PopCount(Bits);

    /// <summary>Is the register in the set?</summary>
    public bool Contains(Register register) => (Bits & (1 << (int)register)) != 0;

    /// <summary>This set and one more register.</summary>
    public RegisterSet With(Register register) => new((ushort)(Bits | (1 << (int)register)));

    /// <summary>The registers whose values differ.</summary>
    public static RegisterSet Differing(in RegisterFile left, in RegisterFile right) => new(RegisterFile.Differing(left, right));
}
