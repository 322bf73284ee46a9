using System.Collections.Immutable;
using TdxVerify.Abi;

namespace TdxVerify.Host;

/// <summary>
/// Finds the renamings that map a configuration to itself. Only what is truly interchangeable: vCPUs whose threads run
/// the same program on the same GPAs, with the same guest, each on the processor of its vCPU; GPAs under one S-EPT page
/// with the same start, that programs and guests use alike.
/// </summary>
internal static class RenamingSearch
{
    public static IEnumerable<Renaming> Of(Configuration configuration, int lpCount)
    {
        foreach (ImmutableArray<int> vcpus in Permutations(configuration.Td.Vcpus, MayMoveVcpus(configuration)))
        {
            foreach (ImmutableArray<int> gpas in Permutations(configuration.Td.Gpas.Length, MayMoveGpas(configuration)))
            {
                if (Match(configuration, lpCount, vcpus, gpas) is { IsIdentity: false } renaming)
                    yield return renaming;
            }
        }
    }

    // A kick in the order of numbers tells vCPUs apart, and so does a program that names one.
    private static bool MayMoveVcpus(Configuration configuration) =>
        (configuration.Td.InitialisedVcpus ?? configuration.Td.Vcpus) == configuration.Td.Vcpus
        && configuration.Prepare is null
        && !Actions(configuration).Any(action => action is MoveToAction or MakeRequestAction { Vcpu: >= 0 }
            || action is KickAction && !configuration.KicksInAnyOrder
            || action is TakeLockAction { Lock: var name } && name.StartsWith(KernelLocks.VcpuMutex(0)[..^1], StringComparison.Ordinal));

    private static bool MayMoveGpas(Configuration configuration) => configuration.Prepare is null;

    private static IEnumerable<HostAction> Actions(Configuration configuration) =>
        configuration.Agents.SelectMany(agent => agent.Program.WithCalled()).SelectMany(program => program.States).Select(state => state.Action);

    private static Renaming? Match(Configuration configuration, int lpCount, ImmutableArray<int> vcpus, ImmutableArray<int> gpas)
    {
        for (int gpa = 0; gpa < gpas.Length; gpa++)
        {
            GpaLayout layout = configuration.Td.Gpas[gpa];
            bool moves = gpas[gpa] != gpa;
            if (moves && (layout.Level != SeptLevel.Page4K || layout.OwnTable || configuration.Td.Gpas.Any(other => other.SharesPageOf is not null)))
                return null;
            if (layout != configuration.Td.Gpas[gpas[gpa]])
                return null;
        }

        for (int vcpu = 0; vcpu < vcpus.Length; vcpu++)
        {
            if (!RunsTheSame(configuration.GuestOf(vcpu), configuration.GuestOf(vcpus[vcpu]), gpas))
                return null;
        }

        return MatchAgents(configuration, lpCount, vcpus, gpas);
    }

    private static Renaming? MatchAgents(Configuration configuration, int lpCount, ImmutableArray<int> vcpus, ImmutableArray<int> gpas)
    {
        ImmutableArray<HostAgent> all = configuration.Agents;
        int[] agents = new int[all.Length];
        int[] lps = new int[lpCount];
        Array.Fill(lps, -1);
        HashSet<int> taken = [];
        for (int vcpu = 0; vcpu < vcpus.Length; vcpu++)
            lps[vcpu] = vcpus[vcpu];
        for (int agent = 0; agent < all.Length; agent++)
        {
            HostAgent one = all[agent];
            int other = Enumerable.Range(0, all.Length).FirstOrDefault(
                candidate => !taken.Contains(candidate) && PlaysThePart(one, all[candidate], vcpus, gpas, lps), -1);
            if (other < 0)
                return null;
            taken.Add(other);
            agents[agent] = other;
            lps[one.Lp] = all[other].Lp;
        }

        for (int lp = 0; lp < lps.Length; lp++)
            lps[lp] = lps[lp] < 0 ? lp : lps[lp];
        return lps.Distinct().Count() == lps.Length ? new Renaming(vcpus, gpas, [.. agents], [.. lps]) : null;
    }

    private static bool PlaysThePart(HostAgent one, HostAgent other, ImmutableArray<int> vcpus, ImmutableArray<int> gpas, int[] lps) =>
        one.Program == other.Program
        && one.Repeat == other.Repeat
        && (one.Vcpu is { } vcpu ? vcpus[vcpu] : (int?)null) == other.Vcpu
        && one.Gpas.Select(gpa => gpas[gpa]).SequenceEqual(other.Gpas)
        && (lps[one.Lp] < 0 || lps[one.Lp] == other.Lp);

    private static bool RunsTheSame(GuestCode one, GuestCode other, ImmutableArray<int> gpas) =>
        one.Instructions.Length == other.Instructions.Length
        && one.Instructions.Zip(other.Instructions).All(pair =>
            pair.First.Name == pair.Second.Name
            && pair.First.Rip == pair.Second.Rip
            && Moved(pair.First.Op, gpas) == pair.Second.Op
            && pair.First.Transitions.SequenceEqual(pair.Second.Transitions));

    private static GuestOp Moved(GuestOp op, ImmutableArray<int> gpas) =>
        op.Kind is GuestInstructionKind.Access or GuestInstructionKind.Tdcall ? op with { Gpa = gpas[op.Gpa] } : op;

    private static IEnumerable<ImmutableArray<int>> Permutations(int count, bool all)
    {
        ImmutableArray<int> identity = [.. Enumerable.Range(0, count)];
        return all ? Extend([], identity) : [identity];
    }

    private static IEnumerable<ImmutableArray<int>> Extend(ImmutableArray<int> begun, ImmutableArray<int> left) => left.IsEmpty
        ? [begun]
        : left.SelectMany(next => Extend(begun.Add(next), left.Remove(next)));
}
