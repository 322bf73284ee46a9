namespace TdxVerify.Host;

/// <summary><c>vcpu->mode</c> (facts/kvm.md, 0.2).</summary>
public enum VcpuMode : byte
{
    /// <summary>OUTSIDE_GUEST_MODE.</summary>
    OUTSIDE_GUEST_MODE,

    /// <summary>IN_GUEST_MODE.</summary>
    IN_GUEST_MODE,

    /// <summary>EXITING_GUEST_MODE: somebody kicks the vCPU.</summary>
    EXITING_GUEST_MODE,
}

/// <summary><c>vcpu->mode</c> of the thread's own vCPU gets a value.</summary>
/// <param name="Mode">The value.</param>
public sealed record SetModeAction(VcpuMode Mode) : HostAction
{
    /// <inheritdoc/>
    public override string Text => $"vcpu->mode = {Mode}";

    internal override bool NeedsVcpu => true;

    internal override ActionEnd Run(ref HostStep at)
    {
        at.Cells.Write(HostCells.Of(HostCell.Mode, at.Vcpu), (ulong)Mode);
        return ActionEnd.Complete;
    }
}

/// <summary><c>vcpu->mode</c> of the thread's own vCPU has a value.</summary>
/// <param name="Mode">The value.</param>
public sealed record TestModeAction(VcpuMode Mode) : HostAction
{
    /// <inheritdoc/>
    public override string Text => $"vcpu->mode == {Mode}?";

    /// <inheritdoc/>
    public override ResultKind Result => ResultKind.YesNo;

    internal override bool NeedsVcpu => true;

    internal override ActionEnd Run(ref HostStep at)
    {
        at.Answer = Answer.Of(at.Cells.Read(HostCells.Of(HostCell.Mode, at.Vcpu)) == (ulong)Mode);
        return ActionEnd.Complete;
    }
}

/// <summary>kvm_make_request: a bit of <c>vcpu->requests</c> of a vCPU is set.</summary>
/// <param name="Request">Its name.</param>
/// <param name="Vcpu">The vCPU; -1: the thread's own.</param>
public sealed record MakeRequestAction(string Request, int Vcpu) : HostAction
{
    /// <inheritdoc/>
    public override string Text => $"kvm_make_request({Request})";

    internal override bool NeedsVcpu => Vcpu < 0;

    internal override ActionEnd Run(ref HostStep at)
    {
        at.ChangeVcpuBits(HostCell.Requests, Vcpu < 0 ? at.Vcpu : Vcpu, set: at.Machine.RequestBit(Request), clear: 0);
        return ActionEnd.Complete;
    }
}

/// <summary>kvm_clear_request for every vCPU, one after the other.</summary>
/// <param name="Request">Its name.</param>
public sealed record ClearRequestAction(string Request) : HostAction
{
    /// <inheritdoc/>
    public override string Text => $"kvm_clear_request({Request}) for every vCPU";

    internal override ActionEnd Run(ref HostStep at)
    {
        at.ChangeVcpuBits(HostCell.Requests, at.Thread.Part, set: 0, clear: at.Machine.RequestBit(Request));
        at.Thread.Part++;
        return at.Thread.Part < at.Machine.Configuration.Td.Vcpus ? ActionEnd.Again : ActionEnd.Complete;
    }
}

/// <summary>kvm_check_request: a bit of <c>vcpu->requests</c> of the thread's own vCPU is set; it is cleared.</summary>
/// <param name="Request">Its name.</param>
public sealed record CheckRequestAction(string Request) : HostAction
{
    /// <inheritdoc/>
    public override string Text => $"kvm_check_request({Request})?";

    /// <inheritdoc/>
    public override ResultKind Result => ResultKind.YesNo;

    internal override bool NeedsVcpu => true;

    internal override ActionEnd Run(ref HostStep at)
    {
        ulong bit = at.Machine.RequestBit(Request);
        bool set = (at.Cells.Read(HostCells.Of(HostCell.Requests, at.Vcpu)) & bit) != 0;
        if (set)
            at.ChangeVcpuBits(HostCell.Requests, at.Vcpu, set: 0, clear: bit);
        at.Answer = Answer.Of(set);
        return ActionEnd.Complete;
    }
}

/// <summary>kvm_request_pending: any bit of <c>vcpu->requests</c> of the thread's own vCPU is set.</summary>
public sealed record AnyRequestAction : HostAction
{
    /// <inheritdoc/>
    public override string Text => "kvm_request_pending?";

    /// <inheritdoc/>
    public override ResultKind Result => ResultKind.YesNo;

    internal override bool NeedsVcpu => true;

    internal override ActionEnd Run(ref HostStep at)
    {
        at.Answer = Answer.Of(at.Cells.Read(HostCells.Of(HostCell.Requests, at.Vcpu)) != 0);
        return ActionEnd.Complete;
    }
}
