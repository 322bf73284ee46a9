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
        ref GuestProgram program = ref ProgramOf(vcpu);
        _decidingLeaf = -1;
        _decidingStep = 0;
        LastGuest = new GuestOutcome(vcpu, GuestOperationKind.Idle, CallEnd.Vmcall, 0, default);
        if (program.IsPending && program.Operation.Kind != GuestOperationKind.Idle)
        {
            _state.SetVcpu(vcpu, VcpuField.Rip, program.Operation.Rip);
            bool modelled = program.Operation.Kind == GuestOperationKind.Access
                ? Access(lp, vcpu, ref program)
                : Tdcall(lp, vcpu, ref program);
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
        BeginGuest(lp, vcpu, GuestProgram.Vmcall);
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
        ref GuestProgram program = ref ProgramOf(vcpu);
        result = program.Result;
        tdcallReturned = program.TdcallReturned;
        return program.WasSubmitted;
    }

    /// <summary>Forgets what vCPUs were told; the state is reset by its owner.</summary>
    public void ForgetPrograms()
    {
        Array.Clear(_programs);
        Choices = 0;
    }

    /// <summary>What each vCPU was told to do, by its handle.</summary>
    public ReadOnlySpan<GuestProgram> Programs => _programs;

    /// <summary>The latest operation of a vCPU.</summary>
    public ref readonly GuestOperation OperationOf(int vcpu) => ref ProgramOf(vcpu).Operation;

    private bool TryFindVcpu(ulong tdvprHpa, out int vcpu) => VcpuLookup<S>.TryFind(ref _state, tdvprHpa, out vcpu);

    private ref GuestProgram ProgramOf(int vcpu)
    {
        if (vcpu >= _programs.Length)
            Array.Resize(ref _programs, Math.Max(16, 2 * (vcpu + 1)));
        return ref _programs[vcpu];
    }

    private void Begin(int lp, in RegisterFile registers) => CallStart<S>.Begin(ref _call, lp, registers, Choices);

    private void BeginGuest(int lp, int vcpu, in RegisterFile registers) =>
        CallStart<S>.BeginGuest(ref _state, ref _call, lp, vcpu, registers, Choices);

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

    private void Finish(ref RegisterFile registers) => CallAnswer<S>.Finish(ref _state, ref _call, ref registers);

    private bool Access(int lp, int vcpu, ref GuestProgram program)
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

    private void DeliverVirtualizationException(int lp, int vcpu)
    {
        CallAnswer<S>.DeliverVirtualizationException(ref _state, _call);
        BeginGuest(lp, vcpu, GuestProgram.VeInfoGet);
        Run(Leaves.Guest((ulong)GuestLeaf.TDG_VP_VEINFO_GET)!);
    }

    private bool Tdcall(int lp, int vcpu, ref GuestProgram program)
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
        registers = CallAnswer<S>.Exit(_call);
        Run(Leaves.TdExit);
    }
}
