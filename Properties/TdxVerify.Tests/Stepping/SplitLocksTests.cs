using TdxVerify.Abi;
using TdxVerify.Model;
using Xunit;

namespace TdxVerify.Tests.Stepping;

/// <summary>A layout whose leaves cannot split an attempt at a lock refuses a machine that wants it.</summary>
public sealed class SplitLocksTests
{
    [Fact]
    public void The_fast_layouts_refuse_to_split_locks() =>
        Assert.Throws<ArgumentException>(() => new AgentMachine<ArraysState>(LeafSet<ArraysState>.Of(ModuleProfile.V1_5_01), splitsLocks: true));

    [Fact]
    public void The_layout_for_searches_splits_locks() =>
        Assert.NotNull(new AgentMachine<BranchingState>(LeafSet<BranchingState>.Of(ModuleProfile.V1_5_01), splitsLocks: true));
}
