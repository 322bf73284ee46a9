using TdxVerify.Host.Field;
using Xunit;

namespace TdxVerify.Tests.Host.Proposals;

/// <summary>The table of bugs of the field; what comes of them is in <c>ProposalManifestTests</c>.</summary>
public sealed class FieldTests
{
    [Fact]
    public void Every_bug_that_the_model_can_show_is_there_with_its_fix()
    {
        int[] bugs = [1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 16, 19, 20, 22, 23];

        Assert.Equal(bugs, FieldTable.All.Select(each => each.Bug).Distinct());
        Assert.All(bugs, bug => Assert.Contains(FieldTable.All, each => each.Bug == bug && each.Name.StartsWith("bad_", StringComparison.Ordinal)));
        Assert.All(bugs, bug => Assert.Contains(FieldTable.All, each => each.Bug == bug && each is { Expected: Expectation.Held, Cause: Cause.None }));
        Assert.All(FieldTable.All, each => Assert.Equal(each.Cause == Cause.Host, each.Name.StartsWith("bad_", StringComparison.Ordinal)));
    }
}
