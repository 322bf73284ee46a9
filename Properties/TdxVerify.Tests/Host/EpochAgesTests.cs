using TdxVerify.Host;
using TdxVerify.Model;
using Xunit;
using HostThread = TdxVerify.Host.Thread;

namespace TdxVerify.Tests.Host;

public sealed class EpochAgesTests
{
    private const int Depth = 40;

    private static readonly Configuration s_trackVsEnter = new("track-vs-enter")
    {
        Agents =
        [
            HostAgent.OfVcpu(0, SmallPrograms.EnterLoop),
            new HostAgent("tracker", SmallPrograms.Track) { Lp = 1 },
        ],
    };

    [Fact]
    public void Epochs_by_age_lead_to_the_same_states_as_epochs_that_grow()
    {
        HashSet<string> byAge = States(s_trackVsEnter, out _);
        HashSet<string> absolute = States(s_trackVsEnter with { AbsoluteEpochs = true }, out ulong highest);

        Assert.True(highest > EpochAges.Current + 1, "TD_EPOCH has moved on at least twice");
        Assert.Equal(byAge.Order(StringComparer.Ordinal), absolute.Order(StringComparer.Ordinal));
    }

    // Every state up to the depth, brought to ages.
    private static HashSet<string> States(Configuration configuration, out ulong highest)
    {
        var machine = new HostMachine(configuration);
        var explorer = new TinyExplorer<HostThread>(machine);
        explorer.Explore(depth: Depth);
        HashSet<string> states = [];
        highest = 0;
        for (int i = 0; i < explorer.States; i++)
        {
            ISystemState<HostThread> state = explorer[i];
            ulong epoch = state.Read(Cell.Td(TdPages.Tdr, TdField.Epoch));
            highest = Math.Max(highest, epoch);
            Age(state, epoch - EpochAges.Current);
            states.Add(StateText.Of(state, state.Cells, machine.Agents.Count));
        }

        return states;
    }

    private static void Age(ISystemState<HostThread> state, ulong years)
    {
        Cell even = Cell.Td(TdPages.Tdr, TdField.RefCountEven);
        Cell odd = Cell.Td(TdPages.Tdr, TdField.RefCountOdd);
        foreach (Cell cell in state.Cells.ToArray())
            state.Write(cell, Aged(state.Read(cell), years));
        for (int agent = 0; agent < 2; agent++)
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
