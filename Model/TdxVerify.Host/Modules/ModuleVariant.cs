using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Host.Modules;

/// <summary>A module with something made differently.</summary>
/// <param name="Name">Its name.</param>
/// <param name="What">What is different, in a few words.</param>
/// <param name="Of">Makes it of a module's leaves.</param>
public sealed record ModuleVariant(string Name, string What, Func<LeafSet<CellState>, LeafSet<CellState>> Of)
{
    /// <summary>Made of a released module.</summary>
    public LeafSet<CellState> Leaves(ModuleProfile profile = ModuleProfile.V1_5_05) => Of(LeafSet<CellState>.Of(profile));

    /// <summary>A configuration on it.</summary>
    public Configuration In(Configuration configuration) =>
        configuration with { Leaves = Of(configuration.Leaves ?? LeafSet<CellState>.Of(configuration.Profile)) };
}
