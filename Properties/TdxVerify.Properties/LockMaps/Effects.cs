using TdxVerify.Host;
using TdxVerify.Host.Kvm;

namespace TdxVerify.Properties.LockMaps;

/// <summary>What an action changes of what a thread holds and knows.</summary>
internal static class Effects
{
    /// <summary>The place with the action's effect, still at its state.</summary>
    /// <param name="place">The place.</param>
    /// <param name="answer">What the action answered.</param>
    /// <param name="facts">What other threads do.</param>
    public static Place Of(Place place, ulong answer, HostFacts facts)
    {
        HeldLocks held = place.Held;
        return place.State.Action switch
        {
            TakeLockAction take => place with { Held = held.Take(HeldLock.Of(take)) },
            DropLockAction drop => place with { Held = held.Drop(HeldLock.NameOf(drop.Lock)) },
            SrcuLockAction => place with { Held = held.Take(new HeldLock(HeldLock.Srcu, false, LockScope.Vm)) },
            SrcuUnlockAction => place with { Held = held.Drop(HeldLock.Srcu) },
            IrqOffAction => place with { Held = held.Take(new HeldLock(HeldLock.InterruptsOff, true, LockScope.Vcpu)) },
            SmpCallBeginAction when answer == 1 => place with { Held = held.Take(new HeldLock(HeldLock.InterruptsOff, true, LockScope.Vcpu)) },
            IrqOnAction or SmpCallEndAction => place with { Held = held.Drop(HeldLock.InterruptsOff) },
            CompareSpteAction { New: SpteKind.Frozen } freeze when answer == 1 => place with { Held = held.Take(HeldLock.Frozen(freeze.Level)) },
            WriteSpteAction { New: not SpteKind.Frozen } write => place with { Held = held.Drop(HeldLock.Frozen(write.Level).Name) },
            SetModeAction mode => SetMode(place, mode.Mode),
            TestVariableAction { Value: 1 } test when answer == 0 && place.IsInGuestMode && facts.IsGate(test.Variable) =>
                place with { Held = held.Take(HeldLock.Gate(test.Variable, isExclusive: false)) },
            AnyRequestAction when answer == 0 && place.IsInGuestMode => place with { Held = held.Take(HeldLock.Gate(HeldLock.Requests, isExclusive: false)) },
            WriteVariableAction { Variable: KvmVariables.Runnable } write => place with { IsRunnable = write.Value == 1 },
            WriteVariableAction { Value: 0 } clear => place with { Held = held.Drop(clear.Variable), Flag = null },
            WriteVariableAction set when facts.IsGate(set.Variable) => place with { Flag = set.Variable },
            KickAction { Waits: true } kick => Kick(place, kick, facts),
            ClearRequestAction => place with { Held = held.Drop(HeldLock.Requests) },
            _ => place,
        };
    }

    // A vCPU that is outside has forgotten what it found before it entered.
    private static Place SetMode(Place place, VcpuMode mode) => mode == VcpuMode.IN_GUEST_MODE
        ? place with { IsInGuestMode = true }
        : place with { IsInGuestMode = false, Held = place.Held.Drop(held => held is { IsGate: true, IsExclusive: false }) };

    private static Place Kick(Place place, KickAction kick, HostFacts facts)
    {
        HeldLocks held = place.Held;
        if (place.Flag is { } flag)
            held = held.Take(HeldLock.Gate(flag, isExclusive: true));
        if (kick.Request is { } request && facts.IsGateRequest(request))
            held = held.Take(HeldLock.Gate(HeldLock.Requests, isExclusive: true));
        return place with { Held = held };
    }
}
