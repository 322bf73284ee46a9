using System.Collections.Concurrent;
using TdxVerify.Properties.Exploration;
using Xunit;
using Thread = System.Threading.Thread;

namespace TdxVerify.Tests.Exploration;

public class WorkerTeamTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void A_round_is_over_when_every_worker_did_its_work_once(int workers)
    {
        const int Rounds = 1000;
        int[] done = new int[workers];
        using var team = new WorkerTeam(workers);
        for (int round = 1; round <= Rounds; round++)
        {
            team.Run(worker => done[worker]++);
            Assert.All(done, count => Assert.Equal(round, count));
        }
    }

    [Fact]
    public void Each_worker_is_a_thread_of_its_own_and_the_caller_is_worker_0()
    {
        var threads = new ConcurrentDictionary<int, Thread>();
        using (var team = new WorkerTeam(3))
            team.Run(worker => threads[worker] = Thread.CurrentThread);
        Assert.Same(Thread.CurrentThread, threads[0]);
        Assert.Equal(3, threads.Values.Distinct().Count());
        Assert.All([threads[1], threads[2]], thread => Assert.False(thread.IsAlive, "a thread outlived its team"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void What_a_worker_throws_comes_out_of_the_round(int thrower)
    {
        using var team = new WorkerTeam(3);

        var failure = Assert.Throws<InsufficientMemoryException>(() => team.Run(worker =>
        {
            if (worker == thrower)
                throw new InsufficientMemoryException("no more");
        }));

        Assert.Equal("no more", failure.Message);
    }
}
