using TdxVerify.Host.Field;
using TdxVerify.Properties.Exploration;
using TdxVerify.Properties.Exploration.Reports;
using Xunit;

namespace TdxVerify.Tests.Host.Proposals;

/// <summary>Bugs of the field are found again, and their fixes hold.</summary>
public sealed class FieldTests
{
    public static TheoryData<string> Names => [.. FieldTable.All.Select(each => each.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void The_case_ends_as_expected(string name)
    {
        FieldCase field = FieldTable.Find(name)!;

        ExploreReport report = Explorer.Run(field.Configuration, new SearchOptions { Workers = 1 });

        Assert.Equal(field.Expected, Found(report));
        Assert.Equal(field.Law, report.Violations.Count > 0 ? report.Violations[0].Property : "");
    }

    [Fact]
    public void Every_bug_that_the_model_can_show_is_there_with_its_fix()
    {
        int[] bugs = [1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 16, 19, 20, 22, 23];

        Assert.Equal(bugs, FieldTable.All.Select(each => each.Bug).Distinct());
        Assert.All(bugs, bug => Assert.Contains(FieldTable.All, each => each.Bug == bug && each.Name.StartsWith("bad_", StringComparison.Ordinal)));
        Assert.All(bugs, bug => Assert.Contains(FieldTable.All, each => each.Bug == bug && each is { Expected: Expectation.Held, Cause: Cause.None }));
        Assert.All(FieldTable.All, each => Assert.Equal(each.Cause == Cause.Host, each.Name.StartsWith("bad_", StringComparison.Ordinal)));
    }

    private static Expectation Found(ExploreReport report) => report.Verdict switch
    {
        Verdict.Violated => Expectation.LawBroken,
        Verdict.Livelock => Expectation.Livelock,
        Verdict.Starvation => Expectation.Starvation,
        Verdict.Held => report.Liveness.Count > 0 ? Expectation.WeakStarvation : Expectation.Held,
        _ => throw new InvalidOperationException($"{report.Name}: not explored to the end"),
    };
}
