using TdxVerify.Abi;

namespace TdxVerify.Host;

/// <summary>What came of an action.</summary>
/// <param name="Registers">For a SEAMCALL or TDCALL: all registers. Otherwise RAX holds yes (1), no (0), or an <see cref="MirrorSpte"/>.</param>
/// <param name="Code">What a called program returned, where it returned a code.</param>
public readonly record struct Answer(RegisterFile Registers, string? Code = null)
{
    /// <summary>The status.</summary>
    public ulong Status => Registers.Rax;

    internal static Answer Of(ulong value) => new(new RegisterFile { Rax = value });

    internal static Answer Of(bool yes) => Of(yes ? 1UL : 0);
}
