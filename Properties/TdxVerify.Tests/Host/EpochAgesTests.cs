using TdxVerify.Host;
using TdxVerify.Model;
using TdxVerify.Properties.Exploration;
using Xunit;
using HostThread = TdxVerify.Host.Thread;

namespace TdxVerify.Tests.Host;

public sealed class EpochAgesTests
{
    /// <summary>Scenarios, with a depth within which TD_EPOCH moves on as often as is said.</summary>
    public static TheoryData<string, int, int> Scenarios => new()
    {
        { "track-vs-enter", 60, 3 },
        { "epoch-two-vcpus", 45, 2 },
        { "attr-vs-block", 110, 2 },
        { "block-track-remove", 120, 1 },
    };

    [Theory]
    [MemberData(nameof(Scenarios))]
    public void Epochs_by_age_lead_to_the_same_states_as_epochs_that_grow(string name, int depth, int moves)
    {
        Configuration configuration = ScenarioTable.Find(name)!.Configuration;
        HashSet<string> byAge = States(configuration, depth, out _);
        HashSet<string> absolute = States(configuration with { AbsoluteEpochs = true }, depth, out ulong highest);

        Assert.True(highest >= EpochAges.Current + (ulong)moves, $"TD_EPOCH has moved on {highest - EpochAges.Current} times");
        Assert.Equal(byAge.Order(StringComparer.Ordinal), absolute.Order(StringComparer.Ordinal));
    }

    // Every state up to the depth, brought to ages.
    private static unsafe HashSet<string> States(Configuration configuration, int depth, out ulong highest)
    {
        var machine = new HostMachine(configuration);
        using var search = new Search<HostThread>(machine, new SearchOptions { Workers = 1, DepthLimit = depth });
        search.Run();
        HashSet<string> states = [];
        highest = 0;
        for (int i = 0; i < search.Set.CountOf(0); i++)
        {
            UnpackedState<HostThread> state = search.System.Unpack(search.Set[new StateId(0, i)]);
            ulong epoch = state.Read(Cell.Td(TdPages.Tdr, TdField.Epoch));
            highest = Math.Max(highest, epoch);
            Age(state, epoch - EpochAges.Current, machine.Agents.Count);
            states.Add(StateText.Of(state, state.Cells, machine.Agents.Count));
        }

        return states;
    }

    private static void Age(UnpackedState<HostThread> state, ulong years, int agents)
    {
        Cell even = Cell.Td(TdPages.Tdr, TdField.RefCountEven);
        Cell odd = Cell.Td(TdPages.Tdr, TdField.RefCountOdd);
        foreach (Cell cell in state.Cells.ToArray())
            state.Write(cell, Aged(state.Read(cell), years));
        for (int agent = 0; agent < agents; agent++)
        {
            ref Call call = ref state.Local(agent).Agent.Call;
            call.Sample = Aged(call.Sample, years);
            call.Sample2 = Aged(call.Sample2, years);
        }

        if (years % 2 == 0)
            return;
        ulong kept = state.Read(even);
        state.Write(even, state.Read(odd));
        state.Write(odd, kept);
    }

    private static ulong Aged(ulong value, ulong years) => value is < EpochAges.Older or > EpochAges.Older + 1000
        ? value
        : Math.Max(EpochAges.Older, value - years);
}
