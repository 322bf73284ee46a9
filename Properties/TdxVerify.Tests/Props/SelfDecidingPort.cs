using TdxVerify.Abi;
using TdxVerify.Reference;

namespace TdxVerify.Tests.Props;

/// <summary>
/// The reference as hardware is: its choice points fail when they like, nobody can ask them to, and nobody is told.
/// </summary>
internal sealed class SelfDecidingPort(PlatformInfo platform, int seed) : IPort
{
    private const int CallsPerFailure = 20;

    private static readonly ChoicePoint[] s_choices = [.. Enum.GetValues<ChoicePoint>().Where(choice => choice != ChoicePoint.None)];

    private readonly ReferencePort _inner = new(platform);
    private readonly Random _random = new(seed);

    public string Name => _inner.Name;

    public PlatformInfo Platform => _inner.Platform;

    public bool SupportsThreads => false;

    public PortResult Reset() => _inner.Reset();

    public PortResult Seamcall(int lp, ref RegisterFile registers)
    {
        Decide();
        PortResult result = _inner.Seamcall(lp, ref registers);
        _inner.ClearChoices();
        return result;
    }

    public PortResult GuestSubmit(ulong tdvprHpa, in GuestOperation operation) => _inner.GuestSubmit(tdvprHpa, operation);

    public PortResult GuestResult(ulong tdvprHpa, out GuestResult result) => _inner.GuestResult(tdvprHpa, out result);

    public PortResult MemoryWrite(ulong hpa, ReadOnlySpan<byte> data) => _inner.MemoryWrite(hpa, data);

    public PortResult MemoryRead(ulong hpa, Span<byte> data) => _inner.MemoryRead(hpa, data);

    public PortResult EnterBegin(int lp, ref RegisterFile registers, out bool running)
    {
        Decide();
        PortResult result = _inner.EnterBegin(lp, ref registers, out running);
        _inner.ClearChoices();
        return result;
    }

    public PortResult EnterEnd(int lp, ref RegisterFile registers) => _inner.EnterEnd(lp, ref registers);

    public PortResult Interrupt(bool pending) => _inner.Interrupt(pending);

    public PortResult Lock(in LockOperation operation) => _inner.Lock(operation);

    public PortResult Unlock(in LockOperation operation) => _inner.Unlock(operation);

    public void Dispose() => _inner.Dispose();

    private void Decide()
    {
        if (_random.Next(CallsPerFailure) == 0)
            _inner.FailNext(s_choices[_random.Next(s_choices.Length)]);
    }
}
