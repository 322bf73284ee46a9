using TdxVerify.Abi;

namespace TdxVerify.Reference;

/// <summary>The choice points that a test ordered to fail once.</summary>
internal sealed class ChoicePoints
{
    private uint _ordered;

    public void FailNext(ChoicePoint choice) => Interlocked.Or(ref _ordered, Bit(choice));

    public void Clear() => Volatile.Write(ref _ordered, 0);

    /// <summary>The choice point is reached; true: it fails this time.</summary>
    public bool Fails(ChoicePoint choice) =>
        Volatile.Read(ref _ordered) != 0 && (Interlocked.And(ref _ordered, ~Bit(choice)) & Bit(choice)) != 0;

    private static uint Bit(ChoicePoint choice) => 1u << (int)choice;
}
