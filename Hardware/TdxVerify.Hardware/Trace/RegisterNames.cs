using System.Text;
using TdxVerify.Abi;

namespace TdxVerify.Hardware.Trace;

/// <summary>The names of registers as trace files write them: <c>rax</c>.</summary>
internal static class RegisterNames
{
    private static readonly Register[] s_registers = RegisterFile.All.ToArray();

    private static readonly string[] s_names =
        Array.ConvertAll(s_registers, register => register.ToString().ToLowerInvariant());

    // Names have two or three characters: each is compared as one number.
    private static readonly uint[] s_keys = Array.ConvertAll(s_names, name => Key(Encoding.ASCII.GetBytes(name)));

    /// <summary>The name of a register.</summary>
    public static string Of(Register register) => s_names[Array.IndexOf(s_registers, register)];

    /// <summary>Finds a register by its name; false where there is none.</summary>
    public static bool TryParse(ReadOnlySpan<byte> name, out Register register)
    {
        int index = name.Length is 2 or 3 ? s_keys.AsSpan().IndexOf(Key(name)) : -1;
        register = index < 0 ? default : s_registers[index];
        return index >= 0;
    }

    private static uint Key(ReadOnlySpan<byte> name) =>
        name[0] | (uint)name[1] << 8 | (name.Length == 3 ? (uint)name[2] << 16 : 0);
}
