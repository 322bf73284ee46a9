using TdxVerify.Abi;
using TdxVerify.Host.Kvm;
using TdxVerify.Model;

namespace TdxVerify.Host.Proposals;

/// <summary>An answer to the question what the host should do when a SEAMCALL is busy.</summary>
/// <param name="Name">Its name, such as <c>kick-on-busy</c>.</param>
public sealed record Proposal(string Name)
{
    /// <summary>Who proposed it.</summary>
    public required string Author { get; init; }

    /// <summary>When, as the mailing list dates it: <c>2024-11-21</c>, or less of it where no more is known.</summary>
    public required string Date { get; init; }

    /// <summary>The subject of the message; empty where it is not known.</summary>
    public string Subject { get; init; } = "";

    /// <summary>What its author claims.</summary>
    public required string Claim { get; init; }

    /// <summary>What was said against it; empty: nothing.</summary>
    public string Objection { get; init; } = "";

    /// <summary>The host's programs.</summary>
    public required HostPrograms Host { get; init; }

    /// <summary>The module that it assumes.</summary>
    public ModuleProfile Profile { get; init; } = ModuleProfile.V1_5_05;

    /// <summary>Leaves of the module that it asks for; null: those of the profile.</summary>
    public LeafSet<CellState>? Leaves { get; init; }

    /// <summary>How it changes the TD of a configuration before it runs; null: not at all.</summary>
    public Func<TdLayout, TdLayout>? PreparesTd { get; init; }

    /// <summary>This proposal's host in a standard configuration.</summary>
    public Configuration In(StandardConfiguration configuration) => configuration.With(this);
}
