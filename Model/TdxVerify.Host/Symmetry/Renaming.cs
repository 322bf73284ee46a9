using System.Collections.Immutable;

namespace TdxVerify.Host;

/// <summary>One renaming: what takes the place of each vCPU, GPA, agent and processor.</summary>
/// <param name="Vcpus">By vCPU.</param>
/// <param name="Gpas">By GPA.</param>
/// <param name="Agents">By agent.</param>
/// <param name="Lps">By processor.</param>
internal sealed record Renaming(ImmutableArray<int> Vcpus, ImmutableArray<int> Gpas, ImmutableArray<int> Agents, ImmutableArray<int> Lps)
{
    public bool IsIdentity => IsIdentityOf(Vcpus) && IsIdentityOf(Gpas) && IsIdentityOf(Agents) && IsIdentityOf(Lps);

    public int Vcpu(int vcpu) => Of(Vcpus, vcpu);

    public int Gpa(int gpa) => Of(Gpas, gpa);

    public int Agent(int agent) => Of(Agents, agent);

    public int Lp(int lp) => Of(Lps, lp);

    /// <summary>A set of bits, each moved.</summary>
    public static ulong Bits(ulong bits, Func<int, int> move)
    {
        ulong moved = 0;
        for (int bit = 0; bit < 64; bit++)
        {
            if ((bits >> bit & 1) != 0)
                moved |= 1UL << move(bit);
        }

        return moved;
    }

    private static int Of(ImmutableArray<int> names, int name) => name < names.Length ? names[name] : name;

    private static bool IsIdentityOf(ImmutableArray<int> names) => names.Select((to, from) => to == from).All(same => same);
}
