namespace TdxVerify.Model;

/// <summary>A state that stands for a whole platform: it can be reset, and the host can use its memory.</summary>
public interface IPlatformState : IState
{
    /// <summary>TDs, vCPUs and S-EPT tables that exist, by handle.</summary>
    (IReadOnlyCollection<int> Tds, IReadOnlyCollection<int> Vcpus, IReadOnlyCollection<int> Tables) Live { get; }

    /// <summary>Back to a fresh platform: the module is ready, every page unassigned, every private key id free.</summary>
    void Reset();

    /// <summary>The host writes memory.</summary>
    void WriteMemory(ulong hpa, ReadOnlySpan<byte> data);

    /// <summary>The host reads memory: what it wrote, 0 elsewhere.</summary>
    void ReadMemory(ulong hpa, Span<byte> data);
}
