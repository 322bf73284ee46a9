using TdxVerify.Properties.Choices;
using Xunit;

namespace TdxVerify.Tests.Choices;

/// <summary>What runs with different seeds have in common.</summary>
public sealed class ChoiceStreamTests
{
    [Fact]
    public void Runs_with_neighbouring_seeds_share_no_stream()
    {
        ulong[] seeds = [.. from seed in Enumerable.Range(0, 32) from number in Enumerable.Range(0, 1000) select ChoiceStream.SeedOf((ulong)seed, (ulong)number)];

        Assert.Equal(seeds.Length, seeds.Distinct().Count());
    }
}
