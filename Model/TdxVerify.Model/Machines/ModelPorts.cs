using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>Makes model ports.</summary>
public static class ModelPorts
{
    /// <summary>The declared model of the platform's profile, on the fast layout.</summary>
    public static ModelPort<ArraysState> Fast(PlatformInfo platform) =>
        new(new ArraysState(platform), LeafSet<ArraysState>.Of(platform.Profile));

    /// <summary>The declared model of the platform's profile, with a journal of every write.</summary>
    public static ModelPort<ObservedState> Observed(PlatformInfo platform) =>
        new(new ObservedState(platform), LeafSet<ObservedState>.Of(platform.Profile));
}
