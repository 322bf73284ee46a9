using System.Collections.Immutable;

namespace TdxVerify.Host;

/// <summary>
/// What a guest runs: named places, each an instruction, next chosen by its result. It begins at the first and never
/// ends. An instruction that faults is carried out again at the next entry.
/// </summary>
public sealed class GuestCode
{
    internal GuestCode(string name, ImmutableArray<GuestInstruction> instructions)
    {
        Name = name;
        Instructions = instructions;
    }

    /// <summary>A guest that leaves by TDG.VP.VMCALL each time it runs.</summary>
    public static GuestCode Leaves { get; } = Named("leaves").At("vmcall", GuestOp.Vmcall).Next("vmcall").Build();

    /// <summary>A guest that runs on until it is interrupted.</summary>
    public static GuestCode Spins { get; } = Named("spins").At("spin", GuestOp.Spin).Next("spin").Build();

    /// <summary>What it does.</summary>
    public string Name { get; }

    /// <summary>The instructions; the first is where it begins.</summary>
    public ImmutableArray<GuestInstruction> Instructions { get; }

    /// <summary>Begins the declaration of a guest.</summary>
    public static GuestCodeBuilder Named(string name) => new(name);

    internal int IndexOf(string place)
    {
        for (int i = 0; i < Instructions.Length; i++)
        {
            if (Instructions[i].Name == place)
                return i;
        }

        return -1;
    }
}
