using TdxVerify.Properties.Schedules;

namespace TdxVerify.Properties.Contention;

/// <summary>The shortest ways through a graph of interleavings: fewest switches first, then fewest steps.</summary>
internal static class WitnessSearch
{
    private const int StepBits = 32;

    /// <summary>For each goal the runs that lead from node 0 to a nearest node that shows it.</summary>
    /// <param name="edges">Where a step of each call leads; -1: it makes none.</param>
    /// <param name="goalsAt">What a node shows.</param>
    public static Dictionary<TGoal, IReadOnlyList<ScheduleRun>> Nearest<TGoal>(IReadOnlyList<(int A, int B)> edges, Func<int, IEnumerable<TGoal>> goalsAt)
        where TGoal : notnull
    {
        var found = new Dictionary<TGoal, IReadOnlyList<ScheduleRun>>();
        // A place is a node together with the call that made the last step: going on with the same call is no switch.
        var cost = new long[edges.Count * 2];
        var from = new int[edges.Count * 2];
        Array.Fill(cost, long.MaxValue);
        var next = new PriorityQueue<int, long>();
        for (int call = 0; call < 2; call++)
            Reach(call, -1, 0);
        while (next.TryDequeue(out int place, out long reached))
        {
            if (reached > cost[place])
                continue;
            foreach (TGoal goal in goalsAt(place / 2))
            {
                if (!found.ContainsKey(goal))
                    found.Add(goal, Runs(from, place));
            }

            for (int call = 0; call < 2; call++)
            {
                int node = call == 0 ? edges[place / 2].A : edges[place / 2].B;
                if (node >= 0)
                    Reach((node * 2) + call, place, reached + 1 + (call == place % 2 ? 0 : 1L << StepBits));
            }
        }

        return found;

        void Reach(int place, int before, long reached)
        {
            if (reached >= cost[place])
                return;
            cost[place] = reached;
            from[place] = before;
            next.Enqueue(place, reached);
        }
    }

    private static List<ScheduleRun> Runs(int[] from, int place)
    {
        var runs = new List<ScheduleRun>();
        for (; from[place] >= 0; place = from[place])
        {
            if (runs.Count > 0 && runs[^1].Call == place % 2)
                runs[^1] = runs[^1] with { Steps = runs[^1].Steps + 1 };
            else
                runs.Add(new ScheduleRun(place % 2, 1));
        }

        runs.Reverse();
        return runs;
    }
}
