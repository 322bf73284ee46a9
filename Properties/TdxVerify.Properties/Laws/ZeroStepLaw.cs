using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;

namespace TdxVerify.Properties.Laws;

/// <summary>
/// The zero-step mitigation (facts/zerostep.md), with books of its own: EPT-violation exits of memory accesses are
/// counted while the guest does not get on; from the seventh on their GPAs are listed; a vCPU with a list enters
/// only under the exclusive S-EPT tree lock and once every listed GPA translates.
/// </summary>
public sealed class ZeroStepLaw : Law
{
    private const int Threshold = 6;
    private const int ListSize = 32;

    // Where a guest without an operation calls TDG.VP.VMCALL (Hardware/README.md, "Leaving").
    private const ulong LeavingRip = 0xFFFF_8000_0010_0000;
    private const ulong ResetVector = 0xFFFF_FFF0;

    private readonly Dictionary<int, Book> _books = [];
    private readonly Stack<Book> _spare = new();
    private ulong[] _ripAtEntry = [];

    /// <summary>The law.</summary>
    public ZeroStepLaw()
        : base(
            "zero-step", "Violations without progress are counted to 6, then listed; a list keeps the vCPU out until its GPAs translate.",
            "7th violation logged", "second GPA logged", "reset by forward progress", "TDCALL's exit not counted", "#VE not counted",
            "entry with the S-EPT tree exclusive", "entry refused by the S-EPT tree", "emulated violation", "pending page keeps the vCPU out",
            "six violations, and not a seventh")
    {
    }

    /// <inheritdoc/>
    public override void Reset()
    {
        foreach (Book book in _books.Values)
            _spare.Push(book);
        _books.Clear();
        Array.Clear(_ripAtEntry);
    }

    /// <inheritdoc/>
    protected override string? Check(Observation o)
    {
        if (o.Kind is not (TraceEventKind.Seamcall or TraceEventKind.Enter or TraceEventKind.Exit) || !o.IsModelled)
            return null;
        if (o.Leaf == HostLeaf.TDH_VP_CREATE && o.IsHostCall && !o.Status.IsError)
            ForgetNew(o);
        if (o.IsHostCall && o.Leaf != HostLeaf.TDH_VP_ENTER)
            return null;
        return (o.IsHostCall ? Entry(o) : null) ?? (o.GuestRan ? Exit(o, o.Guest) : null);
    }

    private static bool TakesTree(Observation o, int td, out bool exclusively)
    {
        exclusively = false;
        foreach (ref readonly Change change in o.Changes)
        {
            if (change.Kind == ChangeKind.Td && change.Object == td && (TdField)change.Position == TdField.SeptTreeLock && change.Old == 0)
            {
                exclusively = change.New == 1;
                return true;
            }
        }

        return false;
    }

    // A page that holds a new vCPU may have held another: its books are closed.
    private void ForgetNew(Observation o)
    {
        foreach (ref readonly Change change in o.Changes)
        {
            if (change.Kind == ChangeKind.NewVcpu && _books.Remove(change.Object, out Book? book))
                _spare.Push(book);
        }
    }

    private Book BookOf(int vcpu)
    {
        if (!_books.TryGetValue(vcpu, out Book? book))
        {
            book = _spare.Count > 0 ? _spare.Pop() : new Book();
            book.Clear();
            _books.Add(vcpu, book);
        }

        return book;
    }

    private string? Entry(Observation o)
    {
        if (_ripAtEntry.Length == 0)
            _ripAtEntry = new ulong[o.Platform.LpCount];
        int vcpu = VcpuOf(o);
        if (vcpu < 0)
            return null;
        Book book = BookOf(vcpu);
        int td = o.State.Holder((int)o.State.Pamt(new PamtRef(0, (int)o.State.Vcpu(vcpu, VcpuField.TdvprPage)), PamtField.Owner) - 1);
        bool entered = o.Running || o.GuestRan;
        bool emulated = !entered && o.Status.Value == (ulong)ExitReason.EptViolation;
        bool refused = !entered && o.Status.Value == Status.TDX_OPERAND_BUSY + (uint)OperandId.SEPT_TREE;
        if (entered || emulated || refused)
            _ripAtEntry[o.Lp] = book.Rip;
        if (refused)
        {
            if (book.Length == 0)
                return "TDH.VP.ENTER wanted the S-EPT tree lock of a vCPU without faulting GPAs";
            Occurred(6);
            return null;
        }

        ulong faulting = 0;
        SeptState state = SeptState.MAPPED;
        bool faults = false;
        for (int i = 0; i < book.Length && !faults; i++)
        {
            faulting = book.Gpas[i];
            state = StateOf(o, td, faulting);
            faults = state != SeptState.MAPPED;
        }

        if (emulated)
        {
            Occurred(7);
            if (!faults)
                return "TDH.VP.ENTER emulated an EPT violation although every GPA that is listed translates with R, W and X";
            if (o.Output.R8 != (faulting & ~0xFFFUL))
                return $"TDH.VP.ENTER emulated an EPT violation at 0x{o.Output.R8:x}; the first listed GPA that does not translate is 0x{faulting:x}";
            if (state == SeptState.PENDING)
                Occurred(8);
            return null;
        }

        if (!entered)
            return null;
        if (faults)
            return $"TDH.VP.ENTER entered the guest although the faulting GPA 0x{faulting:x} of its list does not translate";
        bool tookTree = TakesTree(o, td, out bool exclusively);
        if (book.Length == 0)
            return tookTree ? "TDH.VP.ENTER took the S-EPT tree lock of a vCPU without faulting GPAs" : null;
        Occurred(5);
        return exclusively ? null : "TDH.VP.ENTER did not take the S-EPT tree lock exclusively although the vCPU has faulting GPAs";
    }

    private string? Exit(Observation o, GuestOutcome guest)
    {
        Book book = BookOf(guest.Vcpu);
        ref readonly GuestOperation operation = ref o.Model.Machine.OperationOf(guest.Vcpu);
        if (guest.Kind != GuestOperationKind.Idle)
        {
            Progress(book, operation.Rip, o.Lp);
            if (guest.Kind == GuestOperationKind.Access && guest.End == CallEnd.EptViolation)
                Log(book, operation.Gpa);
            else if (guest.End == CallEnd.EptViolation && book.Count > 0)
                Occurred(3);
            else if (guest.End == CallEnd.VirtualizationException)
                Occurred(4);
        }

        // After an operation that did not leave the guest, it leaves from an address of its own: that is progress.
        if (guest.Kind == GuestOperationKind.Idle || guest.End is not (CallEnd.EptViolation or CallEnd.InterruptExit or CallEnd.Vmcall))
            Progress(book, LeavingRip, o.Lp);
        book.Rip = o.State.Vcpu(guest.Vcpu, VcpuField.Rip);
        return Compare(o, guest.Vcpu, book);
    }

    private void Progress(Book book, ulong rip, int lp)
    {
        if (rip == _ripAtEntry[lp])
            return;
        if (book.Length > 0)
            Occurred(2);
        if (book.Count == Threshold && book.Length == 0)
            Occurred(9);
        book.Count = 0;
        book.Length = 0;
    }

    private void Log(Book book, ulong gpa)
    {
        if (book.Count < Threshold)
        {
            book.Count++;
            return;
        }

        if (book.Length == ListSize || Array.IndexOf(book.Gpas, gpa, 0, book.Length) >= 0)
            return;
        Occurred(book.Length == 0 ? 0 : 1);
        book.Gpas[book.Length++] = gpa;
    }

    private static string? Compare(Observation o, int vcpu, Book book)
    {
        ref ObservedState s = ref o.State;
        if (s.Vcpu(vcpu, VcpuField.FaultCount) != (ulong)book.Count)
            return $"the zero-step counter of the vCPU is {s.Vcpu(vcpu, VcpuField.FaultCount)} after {book.Count} counted violations at one RIP";
        if (s.Vcpu(vcpu, VcpuField.FaultListLength) != (ulong)book.Length)
            return $"the vCPU's list of faulting GPAs has {s.Vcpu(vcpu, VcpuField.FaultListLength)} entries, {book.Length} were due";
        for (int i = 0; i < book.Length; i++)
        {
            if (s.FaultingGpa(vcpu, i) != book.Gpas[i])
                return $"faulting GPA {i} of the vCPU is 0x{s.FaultingGpa(vcpu, i):x}, 0x{book.Gpas[i]:x} was logged";
        }

        return null;
    }

    private static int VcpuOf(Observation o)
    {
        ulong page = ((o.Input.Rcx & 0x000F_FFFF_FFFF_F000) - o.Platform.PageBase) >> Hpa.PageShift;
        return page < (ulong)o.Platform.PageCount && (PageType)o.State.Pamt(new PamtRef(0, (int)page), PamtField.Type) == PageType.PT_TDVPR
            ? o.State.Holder((int)page)
            : -1;
    }

    private static SeptState StateOf(Observation o, int td, ulong gpa)
    {
        ref ObservedState s = ref o.State;
        int table = (int)s.Td(td, TdField.RootTable);
        for (int level = (int)s.Td(td, TdField.RootLevel); ; level--)
        {
            SeptEntry entry = s.Entry(new EntryRef(table, SeptLevel.Index(gpa, level)));
            if (level == 0 || entry.State != SeptState.NL_MAPPED)
                return entry.State;
            table = entry.Target;
        }
    }

    private sealed class Book
    {
        public ulong[] Gpas { get; } = new ulong[ListSize];

        public int Count;
        public int Length;
        public ulong Rip;

        public void Clear()
        {
            Count = 0;
            Length = 0;
            Rip = ResetVector;
        }
    }
}
