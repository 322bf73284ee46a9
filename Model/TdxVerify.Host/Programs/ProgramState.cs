using System.Collections.Immutable;

namespace TdxVerify.Host;

/// <summary>A state of a host program: one action, and where its result leads.</summary>
/// <param name="Name">Its name within the program.</param>
/// <param name="Action">What is done in it.</param>
/// <param name="From">The kernel function and release that it stands for; empty where the program says it.</param>
/// <param name="Transitions">Where it leads.</param>
public sealed record ProgramState(string Name, HostAction Action, string From, ImmutableArray<ProgramTransition> Transitions)
{
    /// <summary>TDH.VP.ENTER: what is reported as progress when the guest runs; null: nothing.</summary>
    public string? EntryProgress { get; init; }

    /// <summary>The line that declares it; 0 where nothing does.</summary>
    public int Line { get; init; }
}
