using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace TdxVerify.Abi;

/// <summary>
/// The general registers at the SEAMCALL or TDCALL boundary: <c>struct tdxv_regs</c> of
/// Hardware/native/tdxverify_port.h, field for field.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct RegisterFile : IEquatable<RegisterFile>
{
    /// <summary>Leaf number and version in, status out.</summary>
    public ulong Rax;

    /// <summary>RBX.</summary>
    public ulong Rbx;

    /// <summary>RCX.</summary>
    public ulong Rcx;

    /// <summary>RDX.</summary>
    public ulong Rdx;

    /// <summary>RSI.</summary>
    public ulong Rsi;

    /// <summary>RDI.</summary>
    public ulong Rdi;

    /// <summary>RBP.</summary>
    public ulong Rbp;

    /// <summary>R8.</summary>
    public ulong R8;

    /// <summary>R9.</summary>
    public ulong R9;

    /// <summary>R10.</summary>
    public ulong R10;

    /// <summary>R11.</summary>
    public ulong R11;

    /// <summary>R12.</summary>
    public ulong R12;

    /// <summary>R13.</summary>
    public ulong R13;

    /// <summary>R14.</summary>
    public ulong R14;

    /// <summary>R15.</summary>
    public ulong R15;

    /// <summary>All registers of the interface, in the order of <c>struct tdxv_regs</c>.</summary>
    public static ReadOnlySpan<Register> All =>
    [
        Register.Rax, Register.Rbx, Register.Rcx, Register.Rdx, Register.Rsi, Register.Rdi, Register.Rbp,
        Register.R8, Register.R9, Register.R10, Register.R11, Register.R12, Register.R13, Register.R14, Register.R15,
    ];

    // The position of each register number in the struct; RSP (4) has none.
    private static ReadOnlySpan<sbyte> Position => [0, 2, 3, 1, -1, 6, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14];

    /// <summary>The register with this number.</summary>
    public ulong this[Register register]
    {
        readonly get => Unsafe.Add(ref Unsafe.AsRef(in Rax), Position[(int)register]);
        set => Unsafe.Add(ref Rax, Position[(int)register]) = value;
    }

    /// <summary>
    /// Copies all 15 registers. Why not by assignment: that copies 64 bytes and the 64 that overlap them by one
    /// register, and what then reads the first 64 waits for both to be stored. This reads and writes pieces of which
    /// none lies across that border.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Copy(in RegisterFile from, ref RegisterFile to)
    {
        ref ulong source = ref Unsafe.AsRef(in from.Rax);
        ref ulong target = ref to.Rax;
        Vector256<ulong> first = Vector256.LoadUnsafe(ref source);
        Vector128<ulong> second = Vector128.LoadUnsafe(ref source, 4);
        ulong third = from.Rbp;
        Vector256<ulong> fourth = Vector256.LoadUnsafe(ref source, 7);
        Vector256<ulong> fifth = Vector256.LoadUnsafe(ref source, 11);
        first.StoreUnsafe(ref target);
        second.StoreUnsafe(ref target, 4);
        to.Rbp = third;
        fourth.StoreUnsafe(ref target, 7);
        fifth.StoreUnsafe(ref target, 11);
    }

    /// <summary>Two register files are equal when all 15 registers are.</summary>
    public static bool operator ==(in RegisterFile left, in RegisterFile right) => left.Words.SequenceEqual(right.Words);

    /// <summary>Two register files differ when any of the 15 registers does.</summary>
    public static bool operator !=(in RegisterFile left, in RegisterFile right) => !(left == right);

    /// <summary>The registers whose values differ: one bit for each, at the register's x86 number.</summary>
    public static ushort Differing(in RegisterFile left, in RegisterFile right)
    {
        ReadOnlySpan<ulong> one = left.Words;
        ReadOnlySpan<ulong> other = right.Words;
        int bits = 0;
        for (int i = 0; i < one.Length; i++)
            bits |= (one[i] == other[i] ? 0 : 1) << (int)All[i];
        return (ushort)bits;
    }

    [System.Diagnostics.CodeAnalysis.UnscopedRef]
    private readonly ReadOnlySpan<ulong> Words => MemoryMarshal.CreateReadOnlySpan(ref Unsafe.AsRef(in Rax), 15);

    /// <inheritdoc/>
    public readonly bool Equals(RegisterFile other) => this == other;

    /// <inheritdoc/>
    public override readonly bool Equals(object? obj) => obj is RegisterFile other && this == other;

    /// <inheritdoc/>
    public override readonly int GetHashCode()
    {
        var hash = new HashCode();
        foreach (Register register in All)
            hash.Add(this[register]);
        return hash.ToHashCode();
    }
}
