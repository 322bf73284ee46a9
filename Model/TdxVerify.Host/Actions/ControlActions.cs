namespace TdxVerify.Host;

/// <summary>Goes on to the next state.</summary>
public sealed record GotoAction : HostAction
{
    /// <inheritdoc/>
    public override string Text => "goto";

    internal override bool IsLocal => true;

    internal override ActionEnd Run(ref HostStep at) => ActionEnd.Complete;
}

/// <summary>Calls another program.</summary>
/// <param name="Program">The program.</param>
public sealed record CallAction(HostProgram Program) : HostAction
{
    /// <inheritdoc/>
    public override string Text => Program.Name.EndsWith(')') ? Program.Name : $"{Program.Name}()";

    /// <inheritdoc/>
    public override ResultKind Result => Returns ? ResultKind.Returned : ResultKind.Nothing;

    internal override bool IsLocal => true;

    private bool Returns => Program.States.Any(state => state.Action is ReturnAction { IsPlain: false });

    internal override ActionEnd Run(ref HostStep at) => throw new InvalidOperationException("the machine carries calls out itself");
}

/// <summary>Returns to the caller: nothing, a code, or the status of the last SEAMCALL.</summary>
/// <param name="Code">The code; null: nothing, or the status.</param>
/// <param name="IsPlain">It returns nothing.</param>
public sealed record ReturnAction(string? Code, bool IsPlain) : HostAction
{
    /// <inheritdoc/>
    public override string Text => IsPlain ? HostProgram.Return : Code is null ? HostProgram.ReturnStatus : $"{HostProgram.Return} {Code}";

    /// <inheritdoc/>
    public override ResultKind Result => ResultKind.Terminal;

    internal override bool IsLocal => true;

    internal override Remembered Reads => !IsPlain && Code is null ? Remembered.Result : Remembered.None;

    internal static ReturnAction? TryParse(string name) => name switch
    {
        HostProgram.Return => new ReturnAction(null, true),
        HostProgram.ReturnStatus => new ReturnAction(null, false),
        _ when name.StartsWith(HostProgram.Return + " ", StringComparison.Ordinal) => new ReturnAction(name[(HostProgram.Return.Length + 1)..], false),
        _ => null,
    };

    internal override ActionEnd Run(ref HostStep at) => throw new InvalidOperationException("the machine carries returns out itself");
}

/// <summary>The program has come to its end.</summary>
public sealed record DoneAction : HostAction
{
    /// <inheritdoc/>
    public override string Text => HostProgram.Done;

    /// <inheritdoc/>
    public override ResultKind Result => ResultKind.Terminal;

    internal override bool IsLocal => true;

    internal override ActionEnd Run(ref HostStep at) => throw new InvalidOperationException("the machine ends programs itself");
}

/// <summary>Something happens or not, and nothing in the state says which: a signal, an event, the scheduler.</summary>
/// <param name="What">What may happen.</param>
public sealed record ChoiceAction(string What) : HostAction
{
    /// <inheritdoc/>
    public override string Text => $"{What}?";

    /// <inheritdoc/>
    public override ResultKind Result => ResultKind.YesNo;

    internal override bool IsLocal => true;

    internal override ActionEnd Run(ref HostStep at)
    {
        at.Answer = Answer.Of(at.Chooser.Choose(2) == 1);
        return ActionEnd.Complete;
    }
}

/// <summary>KVM_BUG_ON: vm_bugged and vm_dead are set, and KVM_REQ_VM_DEAD for every vCPU. The kick is an action of its own.</summary>
/// <param name="Why">Where it is.</param>
public sealed record BugVmAction(string Why) : HostAction
{
    /// <summary>The variable that says that the VM is dead.</summary>
    public const string VmDead = "vm_dead";

    /// <summary>The request that every vCPU gets.</summary>
    public const string VmDeadRequest = "KVM_REQ_VM_DEAD";

    /// <inheritdoc/>
    public override string Text => $"KVM_BUG_ON({Why})";

    internal override ActionEnd Run(ref HostStep at)
    {
        at.WriteVariable(VmDead, 1);
        for (int vcpu = 0; vcpu < at.Machine.Configuration.Td.Vcpus; vcpu++)
            at.ChangeVcpuBits(HostCell.Requests, vcpu, set: at.Machine.RequestBit(VmDeadRequest), clear: 0);
        at.Report(at.Machine.EventOf(HostEvents.HostBug));
        return ActionEnd.Complete;
    }
}
