using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;

namespace TdxVerify.Properties.State;

/// <summary>A line about one object of the state.</summary>
/// <param name="Subject">The object, such as <c>PAMT 0x10001a000 4 KiB</c>.</param>
/// <param name="Text">What holds of it.</param>
public readonly record struct StateLine(string Subject, string Text);

/// <summary>
/// The state that matters to a call: the TD, vCPU, PAMT entries and S-EPT walk that its operands name, which vCPU
/// runs where, and every lock on these that is not free, with its holders.
/// </summary>
public sealed class StateAround
{
    private readonly IPlatformState _state;
    private readonly LockHolders _locks;
    private readonly LockOperation[] _held;
    private readonly List<StateLine> _lines = [];
    private readonly HashSet<string> _subjects = [];

    private StateAround(IPlatformState state, IEnumerable<LockOperation> held)
    {
        _state = state;
        _held = [.. held];
        _locks = new LockHolders(state, _held);
    }

    /// <summary>The state around an event.</summary>
    /// <param name="state">The state, before or after the event.</param>
    /// <param name="held">Locks that agents of the test keep.</param>
    /// <param name="e">The event.</param>
    /// <param name="guest">For a TDH.VP.ENTER: what the vCPU was told to do, a guest event; null where nothing.</param>
    public static IReadOnlyList<StateLine> Lines(IPlatformState state, IEnumerable<LockOperation> held, in TraceEvent e, TraceEvent? guest = null)
    {
        var around = new StateAround(state, held);
        around.Add(e);
        if (guest is { } operation)
        {
            around.Write($"vCPU 0x{operation.Hpa:x}", $"was told to {TraceEventText.Operation(operation)}", repeats: true);
            around.AddGuest(operation);
        }

        around.AddPlatform();
        return around._lines;
    }

    private void Add(in TraceEvent e)
    {
        switch (e.Kind)
        {
            case TraceEventKind.Seamcall:
            case TraceEventKind.Enter:
            case TraceEventKind.Exit:
            case TraceEventKind.Begin:
            case TraceEventKind.End:
                AddOperands(LeafOperands.Of((HostLeaf)LeafNames.Number(e.Input.Rax)), e.Input);
                break;
            case TraceEventKind.Guest:
                AddGuest(e);
                break;
            case TraceEventKind.GuestResult:
                AddVcpu(e.Hpa);
                break;
            case TraceEventKind.Lock:
            case TraceEventKind.Unlock:
                AddLocked(e.Lock);
                break;
            default:
                break;
        }
    }

    private void AddOperands(IReadOnlyList<LeafOperand> operands, in RegisterFile registers)
    {
        int td = -1;
        foreach (LeafOperand operand in operands)
        {
            if (operand.Kind == OperandKind.Td)
                td = AddTd(operand.PageOf(registers)!.Value);
            else if (operand.Kind == OperandKind.Vcpu)
                AddVcpu(operand.PageOf(registers)!.Value);
        }

        foreach (LeafOperand operand in operands)
        {
            if (operand.EntryOf(registers) is { } entry && td >= 0)
                AddWalk(td, entry.Gpa, entry.Level);
            else if (operand.Kind == OperandKind.Page)
                AddPage(operand.PageOf(registers)!.Value);
        }
    }

    private void AddGuest(in TraceEvent e)
    {
        int td = AddVcpu(e.Hpa);
        if (td < 0)
            return;
        if (e.Operation == GuestOperationKind.Access)
            AddWalk(td, e.Gpa, SeptLevel.Page4K);
        foreach (LeafOperand operand in e.Operation == GuestOperationKind.Tdcall ? LeafOperands.Of((GuestLeaf)LeafNames.Number(e.Input.Rax)) : [])
        {
            if (operand.EntryOf(e.Input) is { } entry)
                AddWalk(td, entry.Gpa, entry.Level);
        }
    }

    private void AddLocked(in LockOperation operation)
    {
        switch (operation.Which)
        {
            case PortLock.Pamt:
                AddPage(operation.Argument);
                break;
            case PortLock.Tdvps:
                AddVcpu(operation.Argument);
                break;
            default:
                int td = AddTd(operation.Argument);
                if (operation.Which == PortLock.SeptEntry && td >= 0)
                    AddWalk(td, new PageInfo(operation.Argument2).Gpa, new PageInfo(operation.Argument2).Level);
                break;
        }
    }

    // The handle of the TD; -1 where the page holds none.
    private int AddTd(ulong hpa)
    {
        if (!TryPage(hpa, PageType.PT_TDR, out int page))
        {
            AddPage(hpa);
            return -1;
        }

        int td = _state.Holder(page);
        List<string> parts = [.. _state.Td(td, TdField.Fatal) != 0 ? ["FATAL"] : (string[])[], Value(td, TdField.Lifecycle)];
        bool initialised = (OpState)_state.Td(td, TdField.OpState) != OpState.UNINITIALIZED;
        parts.Add($"OP_STATE {Value(td, TdField.OpState)}");
        parts.Add($"HKID {Value(td, TdField.Hkid)} {FieldText.Of(KeyField.State).Write(_state, _state.Key((int)_state.Td(td, TdField.Hkid), KeyField.State))}");
        parts.Add(Named(td, TdField.ChildCount));
        if (initialised)
        {
            parts.AddRange([Named(td, TdField.Epoch), Named(td, TdField.RefCountEven), Named(td, TdField.RefCountOdd)]);
            parts.AddRange([Named(td, TdField.NumVcpus), Named(td, TdField.AssociatedVcpus)]);
        }
        else
        {
            parts.Add(Named(td, TdField.TdcsPages));
        }

        parts.AddRange(_locks.Td(td));
        if (Write(StateText.Td(_state, td), string.Join(", ", parts)))
            AddPamtLocks(page);
        return td;
    }

    // The handle of the vCPU's TD; -1 where the page holds no vCPU.
    private int AddVcpu(ulong hpa)
    {
        if (!TryPage(hpa, PageType.PT_TDVPR, out int page))
        {
            AddPage(hpa);
            return -1;
        }

        int vcpu = _state.Holder(page);
        List<string> parts =
        [
            .. ((VcpuField[])[VcpuField.State, VcpuField.AssociatedLp, VcpuField.Epoch, VcpuField.LastExit, VcpuField.Rip, VcpuField.FaultCount])
                .Select(field => Named(vcpu, field)),
        ];
        int listed = (int)_state.Vcpu(vcpu, VcpuField.FaultListLength);
        if (listed > 0)
            parts.Add("faulting GPAs " + string.Join(", ", Enumerable.Range(0, listed).Select(place => $"0x{_state.FaultingGpa(vcpu, place):x}")));
        Write(StateText.Vcpu(_state, vcpu), string.Join(", ", parts));
        AddPamtLocks(page);
        return AddTd(StateText.Hpa(_state, (long)_state.Pamt(new PamtRef(0, page), PamtField.Owner) - 1));
    }

    private void AddWalk(int td, ulong gpa, int wanted)
    {
        if ((OpState)_state.Td(td, TdField.OpState) == OpState.UNINITIALIZED || wanted > SeptLevel.Pml5)
            return;
        var levels = new List<string>();
        int table = (int)_state.Td(td, TdField.RootTable);
        for (int level = (int)_state.Td(td, TdField.RootLevel); level >= 0; level--)
        {
            SeptEntry entry = _state.Entry(new EntryRef(table, SeptLevel.Index(gpa, level)));
            ulong at = gpa & ~(SeptLevel.Size(level) - 1);
            bool isLast = level <= wanted || entry.State != SeptState.NL_MAPPED;
            string text = isLast ? StateText.Entry(_state, entry) : entry.State + StateText.Flags(entry);
            levels.Add($"level {level} {text}{(entry.IsLocked ? $" ({_locks.Entry(td, at, level)})" : "")}");
            if (!isLast)
            {
                table = entry.Target;
                continue;
            }

            Write($"S-EPT 0x{gpa:x}", string.Join(" / ", levels));
            if (entry.IsLeaf)
                AddPamt(PamtRef.Of(level, entry.Target), always: true);
            else if (entry.State is SeptState.NL_MAPPED or SeptState.NL_BLOCKED)
                AddPamt(new PamtRef(0, _state.TablePage(entry.Target)), always: true);
            return;
        }
    }

    private void AddPage(ulong hpa)
    {
        if (!TryPage(hpa, out int page))
        {
            Write($"page 0x{hpa:x}", "in no TDMR");
            return;
        }

        // The entry that says what the page is, and what is unusual about the others.
        for (int size = 2; size >= 0; size--)
        {
            PamtRef at = PamtRef.Of(size, page);
            bool isLarge = size > 0 && (PageType)_state.Pamt(at, PamtField.Type) == PageType.PT_REG;
            AddPamt(at, always: size == 0 || isLarge);
            if (isLarge)
                return;
        }
    }

    private void AddPamtLocks(int page)
    {
        for (int size = 2; size >= 0; size--)
            AddPamt(PamtRef.Of(size, page), always: false);
    }

    // Not always: only where the entry's lock is not free.
    private void AddPamt(PamtRef at, bool always)
    {
        string? locked = _locks.Pamt(at);
        if (locked is null && !always)
            return;
        var type = (PageType)_state.Pamt(at, PamtField.Type);
        string text = $"{type}";
        if (type is not (PageType.PT_NDA or PageType.PT_TDR or PageType.PT_RSVD))
            text += $", owner {StateText.Owner(_state, _state.Pamt(at, PamtField.Owner))}";
        if (type is PageType.PT_REG or PageType.PT_EPT)
            text += $", BEPOCH {_state.Pamt(at, PamtField.Bepoch)}";
        Write(StateText.Pamt(_state, at), locked is null ? text : $"{text}, {locked}");
    }

    private void AddPlatform()
    {
        for (int lp = 0; lp < _state.Platform.LpCount; lp++)
        {
            int vcpu = (int)_state.Lp(lp, LpField.RunningVcpu) - 1;
            if (vcpu >= 0)
                Write($"LP {lp}", $"in the guest: {StateText.Vcpu(_state, vcpu)} since epoch {_state.Vcpu(vcpu, VcpuField.Epoch)}");
        }

        foreach (GlobalField field in Enum.GetValues<GlobalField>())
        {
            FieldText text = FieldText.Of(field);
            if (_state.Global(field) != 0)
                Write("platform", $"{text.Name} {text.Write(_state, _state.Global(field))}", repeats: true);
        }

        foreach (LockOperation held in _held)
            Write(TraceEventText.Agent(held), $"keeps the {TraceEventText.Lock(held)}", repeats: true);
    }

    private string Value(int td, TdField field) => FieldText.Of(field).Write(_state, _state.Td(td, field));

    private string Named(int td, TdField field) => $"{FieldText.Of(field).Name} {Value(td, field)}";

    private string Named(int vcpu, VcpuField field) => $"{FieldText.Of(field).Name} {FieldText.Of(field).Write(_state, _state.Vcpu(vcpu, field))}";

    private bool TryPage(ulong hpa, PageType type, out int page) =>
        TryPage(hpa, out page) && (PageType)_state.Pamt(new PamtRef(0, page), PamtField.Type) == type;

    private bool TryPage(ulong hpa, out int page)
    {
        ulong index = (hpa - _state.Platform.PageBase) >> Hpa.PageShift;
        page = index < (ulong)_state.Platform.PageCount ? (int)index : -1;
        return page >= 0;
    }

    private bool Write(string subject, string text, bool repeats = false)
    {
        if (!repeats && !_subjects.Add(subject))
            return false;
        _lines.Add(new StateLine(subject, text));
        return true;
    }
}
