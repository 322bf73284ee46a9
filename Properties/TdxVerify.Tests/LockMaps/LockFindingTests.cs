using TdxVerify.Host.Field;
using TdxVerify.Host.Kvm;
using TdxVerify.Properties.Lanes;
using TdxVerify.Properties.LockMaps;
using Xunit;

namespace TdxVerify.Tests.LockMaps;

/// <summary>What the lock maps of the baselines show happens in a small system, and not where a lock keeps the calls apart.</summary>
public sealed class LockFindingTests
{
    private const int WidthInReadme = 98;

    public static TheoryData<string, KvmRelease> All
    {
        get
        {
            TheoryData<string, KvmRelease> all = [];
            foreach (LockFinding finding in LockFindings.All)
                all.Add(finding.Name, finding.Release);
            return all;
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void A_finding_happens_if_and_only_if_it_is_a_bad_one(string name, KvmRelease release)
    {
        LockFinding finding = LockFindings.All.First(each => each.Name == name && each.Release == release);

        Assert.Equal(finding.IsBad, LockFindingRun.Of(finding).Shown is not null);
    }

    [Fact]
    public void A_finding_that_another_lock_prevents_stands_beside_a_host_with_that_lock() => Assert.Equal(
        ["extend_against_offline", "init_against_cpuid", "init_against_flush", "zap_across_finalize"],
        LockFindings.All.GroupBy(finding => finding.Name[(finding.Name.IndexOf('_', StringComparison.Ordinal) + 1)..])
            .Where(same => same.Any(finding => finding.IsBad) && same.Any(finding => !finding.IsBad)).Select(same => same.Key).Order());

    [Fact]
    public void The_README_names_every_bad_one_and_shows_the_run_of_one()
    {
        string readme = File.ReadAllText(Path.Combine(RepositoryRoot.Path, "Properties", "README.md"));

        Assert.All(LockFindings.All.Where(finding => finding.IsBad), finding => Assert.Contains($"`{finding.Name}`", readme, StringComparison.Ordinal));
        Assert.Contains(
            string.Join('\n', LaneText.Lines(LockFindingRun.Of(LockFindings.All.First(finding => finding.Name == "bad_zap_across_finalize")).Shown!.Lanes, WidthInReadme).Select(line => line.TrimEnd())), readme, StringComparison.Ordinal);
    }
}
