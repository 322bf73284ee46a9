using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>
/// The model as a machine that takes whole calls: dispatches to the declared leaves, runs the vCPU's operation
/// between TDH.VP.ENTER and TD exit, and counts which steps decided.
/// </summary>
/// <typeparam name="S">The layout of the state.</typeparam>
public sealed class Machine<S>
    where S : struct, IState
{
    private static readonly RegisterFile s_vmcall = new()
    {
        Rax = (ulong)GuestLeaf.TDG_VP_VMCALL, Rcx = 0xFC00, R10 = 0, R11 = 12,
    };

    private static readonly RegisterFile s_veInfoGet = new() { Rax = (ulong)GuestLeaf.TDG_VP_VEINFO_GET };

    private readonly long[] _coverage;
    private readonly int _coveragePerLeaf;
    private GuestProgram[] _programs = [];
    private S _state;
    private Call _call;
    private int _decidingLeaf = -1;
    private int _decidingStep;

    /// <summary>A machine over a fresh state.</summary>
    public Machine(S state, LeafSet<S> leaves)
    {
        _state = state;
        Leaves = leaves;
        _coveragePerLeaf = leaves.All.Max(leaf => leaf.Steps.Length) + 1;
        _coverage = new long[leaves.All.Count * _coveragePerLeaf];
    }

    /// <summary>The leaves.</summary>
    public LeafSet<S> Leaves { get; }

    /// <summary>The state.</summary>
    public ref S State => ref _state;

    /// <summary>The call executed last: a SEAMCALL, or what the guest did.</summary>
    public ref readonly Call LastCall => ref _call;

    /// <summary>
    /// The list of steps that decided how the last call ended, and its step, counted from 1; step 0: every check of
    /// the list executed last held.
    /// </summary>
    public (Leaf<S>? Leaf, int Step) Deciding => (_decidingLeaf < 0 ? null : Leaves.All[_decidingLeaf], _decidingStep);

    /// <summary>What the guest did between the last TDH.VP.ENTER and its TD exit.</summary>
    public GuestOutcome LastGuest { get; private set; } = GuestOutcome.None;

    /// <summary>Choice points that fail in the next call: bit <see cref="ChoicePoint"/>.</summary>
    public uint Choices { get; set; }

    /// <summary>How often each step of a leaf decided against a call; position 0: none did.</summary>
    public IReadOnlyList<long> Coverage(Leaf<S> leaf) =>
        new ArraySegment<long>(_coverage, leaf.Index * _coveragePerLeaf, leaf.Steps.Length + 1);

    /// <summary>One SEAMCALL; for TDH.VP.ENTER also what the guest does until it leaves. False: not modelled.</summary>
    public bool Seamcall(int lp, ref RegisterFile registers) =>
        EnterBegin(lp, ref registers, out bool running) && (!running || EnterEnd(lp, ref registers));

    /// <summary>One SEAMCALL, for TDH.VP.ENTER only up to the VM entry. False: not modelled.</summary>
    public bool EnterBegin(int lp, ref RegisterFile registers, out bool running)
    {
        running = false;
        _decidingLeaf = -1;
        _decidingStep = 0;
        LastGuest = GuestOutcome.None;
        Begin(lp, registers);
        Run(Leaves.HostDispatcher);
        if (_call.FailedStep == 0)
        {
            if (Leaves.Host(registers.Rax) is not { } leaf)
                return false;
            Run(leaf);
            if (leaf.Id.Number == (int)HostLeaf.TDH_VP_CREATE && _call.FailedStep == 0)
                ProgramOf(_call.Vcpu).Clear();
        }

        Choices = 0;
        if (_call.OutOfScope)
            return false;
        if (_call.End == CallEnd.InGuest)
        {
            running = true;
            return true;
        }

        Finish(ref registers);
        return true;
    }

    /// <summary>The vCPU on the processor does its operation and leaves. False: it did something that is not modelled.</summary>
    public bool EnterEnd(int lp, ref RegisterFile registers)
    {
        int vcpu = (int)_state.Lp(lp, LpField.RunningVcpu) - 1;
        GuestProgram program = ProgramOf(vcpu);
        _decidingLeaf = -1;
        _decidingStep = 0;
        LastGuest = new GuestOutcome(vcpu, GuestOperationKind.Idle, CallEnd.Vmcall, 0, default);
        if (program.IsPending && program.Operation.Kind != GuestOperationKind.Idle)
        {
            _state.SetVcpu(vcpu, VcpuField.Rip, program.Operation.Rip);
            bool modelled = program.Operation.Kind == GuestOperationKind.Access
                ? Access(lp, vcpu, program)
                : Tdcall(lp, vcpu, program);
            if (!modelled)
                return false;
            if (_call.End is not (CallEnd.Returned or CallEnd.AccessDone or CallEnd.VirtualizationException or CallEnd.PageFault))
            {
                Exit(ref registers);
                return true;
            }
        }
        else if (program.IsPending)
        {
            program.Complete();
        }

        _state.SetVcpu(vcpu, VcpuField.Rip, GuestProgram.VmcallRip);
        BeginGuest(lp, vcpu, s_vmcall);
        Run(Leaves.Guest((ulong)GuestLeaf.TDG_VP_VMCALL)!);
        _state.SetVcpu(vcpu, VcpuField.Rip, GuestProgram.VmcallRip + GuestProgram.TdcallLength);
        Exit(ref registers);
        return true;
    }

    /// <summary>Sets what a vCPU does when it next runs. False: there is no such vCPU.</summary>
    public bool GuestSubmit(ulong tdvprHpa, in GuestOperation operation)
    {
        if (!TryFindVcpu(tdvprHpa, out int vcpu))
            return false;
        ProgramOf(vcpu).Submit(operation);
        return true;
    }

    /// <summary>What became of the latest operation of a vCPU. False: there is no such vCPU, or it was never told anything.</summary>
    public bool GuestResult(ulong tdvprHpa, out GuestResult result, out bool tdcallReturned)
    {
        result = default;
        tdcallReturned = false;
        if (!TryFindVcpu(tdvprHpa, out int vcpu))
            return false;
        GuestProgram program = ProgramOf(vcpu);
        result = program.Result;
        tdcallReturned = program.TdcallReturned;
        return program.WasSubmitted;
    }

    /// <summary>Forgets what vCPUs were told; the state is reset by its owner.</summary>
    public void ForgetPrograms()
    {
        foreach (GuestProgram program in _programs)
            program.Clear();
        Choices = 0;
    }

    /// <summary>The latest operation of a vCPU.</summary>
    public ref readonly GuestOperation OperationOf(int vcpu) => ref ProgramOf(vcpu).Operation;

    private bool TryFindVcpu(ulong tdvprHpa, out int vcpu)
    {
        vcpu = -1;
        ulong page = (tdvprHpa - _state.Platform.PageBase) >> Hpa.PageShift;
        if (page >= (ulong)_state.Platform.PageCount
            || (PageType)_state.Pamt(new PamtRef(0, (int)page), PamtField.Type) != PageType.PT_TDVPR)
        {
            return false;
        }

        vcpu = _state.Holder((int)page);
        return true;
    }

    private GuestProgram ProgramOf(int vcpu)
    {
        int length = _programs.Length;
        if (vcpu >= length)
        {
            Array.Resize(ref _programs, Math.Max(16, 2 * (vcpu + 1)));
            for (int i = length; i < _programs.Length; i++)
                _programs[i] = new GuestProgram();
        }

        return _programs[vcpu];
    }

    private void Begin(int lp, in RegisterFile registers)
    {
        _call.In = registers;
        _call.Out = registers;
        _call.Status = Status.TDX_SUCCESS;
        _call.Held = 0;
        _call.Size = default;
        _call.FailedStep = 0;
        _call.Detail = FailureDetail.None;
        _call.End = CallEnd.Returned;
        _call.OutOfScope = false;
        _call.Lp = lp;
        _call.Choices = Choices;
    }

    private void BeginGuest(int lp, int vcpu, in RegisterFile registers)
    {
        Begin(lp, registers);
        _call.Vcpu = vcpu;
        _call.Td = _state.Holder((int)_state.Pamt(new PamtRef(0, (int)_state.Vcpu(vcpu, VcpuField.TdvprPage)), PamtField.Owner) - 1);
    }

    private void Run(Leaf<S> leaf)
    {
        _call.FailedStep = 0;
        leaf.Execute(ref _state, ref _call);
        int failedStep = _call.FailedStep;
        if (failedStep != 0 || _decidingStep == 0)
        {
            _decidingLeaf = leaf.Index;
            _decidingStep = failedStep;
        }

        _coverage[(leaf.Index * _coveragePerLeaf) + failedStep]++;
    }

    private void Finish(ref RegisterFile registers)
    {
        switch (_call.Detail)
        {
            case FailureDetail.SeptEntry:
                SeptSteps<S>.ReturnEntry(ref _state, ref _call, 0);
                break;
            case FailureDetail.InputsRestored:
                _call.Out.Rcx = _call.In.Rcx;
                _call.Out.Rdx = _call.In.Rdx;
                break;
            case FailureDetail.LevelInStatus:
                _call.Status += (uint)_call.Level;
                break;
            case FailureDetail.X2ApicIdInStatus:
                _call.Status += (uint)_call.In.R8;
                break;
            case FailureDetail.EmulatedEptViolation:
                _call.Out = new RegisterFile
                {
                    Rcx = (ulong)GuestAccess.Write, R8 = _call.Gpa & ~(ulong)(Hpa.PageSize - 1), Rbp = _call.In.Rbp,
                };
                break;
            default:
                break;
        }

        // In this order: a copy of registers of which one was written just before waits for that write.
        registers = _call.Out;
        registers.Rax = _call.Out.Rax = _call.Status;
    }

    private bool Access(int lp, int vcpu, GuestProgram program)
    {
        BeginGuest(lp, vcpu, default);
        _call.Gpa = program.Operation.Gpa;
        _call.Access = program.Operation.Access;
        Run(Leaves.GuestMemory);
        LastGuest = new GuestOutcome(vcpu, GuestOperationKind.Access, _call.End, _call.Status, _call.Value);
        switch (_call.End)
        {
            case CallEnd.AccessDone:
                program.Complete();
                break;
            case CallEnd.VirtualizationException:
                program.Drop(virtualizationException: true);
                DeliverVirtualizationException(lp, vcpu);
                break;
            case CallEnd.PageFault:
                program.Drop(virtualizationException: false);
                break;
            default:
                break;
        }

        return true;
    }

    // The guest's #VE handler reads the information at once, so it is never valid at a second #VE.
    private void DeliverVirtualizationException(int lp, int vcpu)
    {
        _state.SetVcpu(vcpu, VcpuField.VeExitReason, (ulong)ExitReason.EptViolation);
        _state.SetVcpu(vcpu, VcpuField.VeQualification, (ulong)_call.Access);
        _state.SetVcpu(vcpu, VcpuField.VeGla, 0);
        _state.SetVcpu(vcpu, VcpuField.VeGpa, _call.Gpa);
        _state.SetVcpu(vcpu, VcpuField.VeValid, 1);
        _state.SetVcpu(vcpu, VcpuField.Rip, GuestProgram.VeInfoRip);
        BeginGuest(lp, vcpu, s_veInfoGet);
        Run(Leaves.Guest((ulong)GuestLeaf.TDG_VP_VEINFO_GET)!);
    }

    private bool Tdcall(int lp, int vcpu, GuestProgram program)
    {
        RegisterFile registers = program.Operation.Registers;
        BeginGuest(lp, vcpu, registers);
        Run(Leaves.GuestDispatcher);
        if (_call.End == CallEnd.Returned && _call.FailedStep == 0)
        {
            if (Leaves.Guest(registers.Rax) is not { } leaf)
                return false;
            Run(leaf);
        }

        ulong status = 0;
        if (_call.End == CallEnd.Returned)
        {
            Finish(ref registers);
            program.Complete(registers);
            status = registers.Rax;
        }
        else if (_call.End == CallEnd.Vmcall)
        {
            program.Complete();
            _state.SetVcpu(vcpu, VcpuField.Rip, program.Operation.Rip + GuestProgram.TdcallLength);
        }

        LastGuest = new GuestOutcome(vcpu, GuestOperationKind.Tdcall, _call.End, status, _call.Value);
        return true;
    }

    private void Exit(ref RegisterFile registers)
    {
        RegisterFile host = _call.Out;
        ulong reason = _call.Status;
        switch (_call.End)
        {
            case CallEnd.EptViolation:
                reason = (ulong)ExitReason.EptViolation;
                host = new RegisterFile { Rcx = host.Rcx, Rdx = host.Rdx, R8 = host.R8 };
                break;
            case CallEnd.InterruptExit:
                reason = (ulong)ExitReason.ExternalInterrupt;
                host = default;
                break;
            default:
                break;
        }

        host.Rax = reason;
        Run(Leaves.TdExit);
        registers = host;
    }
}
