using TdxVerify.Abi;
using TdxVerify.Model;
using Xunit;

namespace TdxVerify.Tests.Stepping;

/// <summary>Objects that come and go are taken back too: the same ones are there afterwards, and the next one gets the same handle.</summary>
public sealed class BranchingStateTests
{
    private const int Objects = 3;

    // Digits are objects that go, n is one that comes. Found by random schedules: "2n" with 0 gone before.
    public static TheoryData<string, string> Sequences => new()
    {
        { "", "n" },
        { "", "nn" },
        { "", "2n" },
        { "0", "2n" },
        { "0", "n2n" },
        { "02", "nn1n" },
        { "1", "0nn2n" },
    };

    [Theory]
    [MemberData(nameof(Sequences))]
    public void Vcpus_that_came_and_went_are_as_before(string before, string taken)
    {
        BranchingState state = Prepared(before);
        int[] live = [.. state.Live.Vcpus];
        state.StartHere();
        Carry(ref state, taken);
        state.GoBack(0);
        BranchingState untouched = Prepared(before);

        Assert.Equal(live, state.Live.Vcpus);
        Assert.Equal(Enumerable.Range(0, Objects).Select(_ => untouched.NewVcpu(9)), NewOnes(state));
    }

    private static BranchingState Prepared(string before)
    {
        var state = new BranchingState(new PlatformInfo());
        state.Reset();
        for (int i = 0; i < Objects; i++)
            state.NewVcpu(i);
        Carry(ref state, before);
        return state;
    }

    private static IEnumerable<int> NewOnes(BranchingState state) => [.. Enumerable.Range(0, Objects).Select(_ => state.NewVcpu(9))];

    private static void Carry(ref BranchingState state, string sequence)
    {
        foreach (char each in sequence)
        {
            if (each == 'n')
                state.NewVcpu(7);
            else
                state.FreeVcpu(each - '0');
        }
    }
}
