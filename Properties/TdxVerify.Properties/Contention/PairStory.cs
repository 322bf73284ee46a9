using TdxVerify.Model;
using TdxVerify.Properties.Lanes;
using TdxVerify.Properties.Schedules;

namespace TdxVerify.Properties.Contention;

/// <summary>Carries a schedule of two calls out again and tells it as lanes.</summary>
public static class PairStory
{
    /// <summary>The lanes of a witness: one event for each run of steps.</summary>
    /// <param name="recordings">The set-ups.</param>
    /// <param name="leaves">The leaves that the witness was found with.</param>
    /// <param name="pair">The pair that it is of.</param>
    /// <param name="witness">The witness.</param>
    public static LaneDiagram Tell(ContentionRecordings recordings, LeafSet<BranchingState> leaves, ContentionPair pair, PairWitness witness)
    {
        using var stage = new PairStage(recordings.Setups[pair.Scenario], leaves, splitsLocks: false);
        var narrator = new StepNarrator<BranchingState>();
        stage.Choose(pair.A, pair.LpA, pair.B, pair.LpB);
        var agents = new Agent[2];
        stage.Start(ref agents[0], ref agents[1]);
        stage.Machine.Observer = narrator.Observe;
        var items = new List<LaneItem> { new LaneNote($"start: the set-up {pair.Scenario}{InGuest(pair)}") };
        var begun = new bool[2];
        foreach (ScheduleRun run in witness.Runs)
        {
            ref Agent agent = ref agents[run.Call];
            for (int i = 0; i < run.Steps; i++)
                stage.Machine.Step(ref stage.S, ref agent);
            Agent now = agent;
            items.Add(narrator.Finish(run.Call, now, () => stage.Name(run.Call, now), begins: !begun[run.Call]));
            begun[run.Call] = true;
        }

        return new LaneDiagram(Title(pair, witness), [$"LP {pair.LpA}: {pair.A.Name}", $"LP {pair.LpB}: {pair.B.Name}"], items);
    }

    /// <summary>What a witness shows, in one line.</summary>
    public static string Title(ContentionPair pair, PairWitness witness) => witness.Of switch
    {
        WitnessOf.BusyA => $"{pair.A.Name} returns OPERAND_BUSY({witness.What})",
        WitnessOf.BusyB => $"{pair.B.Name} returns OPERAND_BUSY({witness.What})",
        WitnessOf.Halt => "the module halts",
        _ => $"neither order of the calls gives {witness.What[..witness.What.LastIndexOf('|')].Replace("|", ", ", StringComparison.Ordinal)}",
    };

    private static string InGuest(ContentionPair pair) =>
        string.Concat(new[] { pair.A, pair.B }.Where(instance => instance.InGuest).Select(instance => $"; the vCPU of {instance.Name.Replace(" (in guest)", "", StringComparison.Ordinal)} is in the guest"));
}
