using System.Numerics;
using System.Runtime.InteropServices;
using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Properties.Contention;

/// <summary>128-bit hashes of small things.</summary>
internal static class WordHash
{
    /// <summary>Of four numbers.</summary>
    public static UInt128 Of(ulong a, ulong b, ulong c, ulong d) => Of([a, b, c, d]);

    /// <summary>Of the words of a structure without references.</summary>
    public static UInt128 OfWords<T>(ref readonly T value)
        where T : unmanaged =>
        Of(MemoryMarshal.Cast<T, ulong>(MemoryMarshal.CreateReadOnlySpan(in value, 1)));

    /// <summary>Of what a vCPU's guest can tell of its latest operation. Those of several vCPUs may be combined by XOR.</summary>
    public static UInt128 OfProgram(int vcpu, in GuestProgram program)
    {
        ulong flags = (program.IsPending ? 1UL : 0) | (program.TdcallReturned ? 2UL : 0)
            | (program.Result.Completed ? 4UL : 0) | (program.Result.VirtualizationException ? 8UL : 0);
        RegisterFile registers = program.Result.Registers;
        UInt128 shown = OfWords(in registers);
        return Of((ulong)(shown >> 64), (ulong)shown, flags, (ulong)vcpu);
    }

    private static UInt128 Of(ReadOnlySpan<ulong> words)
    {
        ulong high = 0x9E37_79B9_7F4A_7C15;
        ulong low = 0xC2B2_AE3D_27D4_EB4F;
        foreach (ulong word in words)
        {
            high = BitOperations.RotateLeft((high ^ word) * 0xD6E8_FEB8_6659_FD93, 31);
            low = (BitOperations.RotateLeft(low, 23) ^ word) * 0xBF58_476D_1CE4_E5B9 + high;
        }

        high ^= high >> 32;
        low ^= low >> 29;
        return new UInt128(high * 0x94D0_49BB_1331_11EB, low * 0xD6E8_FEB8_6659_FD93);
    }
}
