using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Properties.State;

/// <summary>
/// What a call changed, one line an object: the net changes of a journal as a TDX engineer reads them. Runs of alike
/// changes (512 S-EPT entries, 512 PAMT entries) are one line.
/// </summary>
public sealed class StateDifference
{
    private readonly IPlatformState _state;
    private readonly List<Change> _net = [];
    private readonly List<string> _lines = [];

    private StateDifference(IPlatformState state, Journal journal)
    {
        _state = state;
        journal.CollectNet(_net);
    }

    /// <summary>The net changes since the journal was cleared last; none: the call changed nothing.</summary>
    public static IReadOnlyList<string> Lines(in ObservedState state) => Lines(state, state.Journal);

    /// <summary>The net changes that a journal of this state holds.</summary>
    public static IReadOnlyList<string> Lines(IPlatformState state, Journal journal)
    {
        var difference = new StateDifference(state, journal);
        difference.Write();
        return difference._lines;
    }

    private void Write()
    {
        WriteEntries();
        WritePamt();
        WriteObjects(ChangeKind.Td, ChangeKind.NewTd, ChangeKind.FreeTd, StateText.Td, TdChange);
        WriteObjects(ChangeKind.Vcpu, ChangeKind.NewVcpu, ChangeKind.FreeVcpu, StateText.Vcpu, VcpuChange);
        WriteObjects(ChangeKind.Lp, null, null, (_, lp) => $"LP {lp}", (change, created) => Field(FieldText.Of((LpField)change.Position), change, created));
        WriteObjects(ChangeKind.Key, null, null, (_, hkid) => $"HKID {hkid}", (change, created) => Field(FieldText.Of((KeyField)change.Position), change, created));
        WriteObjects(ChangeKind.Global, null, null, (_, _) => "platform", (change, created) => Field(FieldText.Of((GlobalField)change.Position), change, created));
        foreach ((int lp, int td) in _net.Where(change => change.Kind == ChangeKind.InvalidateEpt).Select(change => (change.Object, change.Position)).Distinct())
            _lines.Add($"LP {lp}: INVEPT of {StateText.Td(_state, td)}");
    }

    private void WriteEntries()
    {
        // The entries of a table that is gone went with it.
        HashSet<int> gone = [.. Of(ChangeKind.FreeTable).Select(change => change.Object)];
        Change[] changes =
        [
            .. Of(ChangeKind.Entry).Where(change => !gone.Contains(change.Object))
                .OrderBy(change => change.Object).ThenBy(change => change.Position),
        ];
        if (changes.Length == 0)
            return;

        var map = new SeptMap(_state);
        for (int first = 0, end; first < changes.Length; first = end)
        {
            bool isMapped = map.TryFind(changes[first].Object, out TablePlace place);
            long stride = isMapped ? SeptLevel.Pages(place.Level) : 1;
            for (end = first + 1; end < changes.Length && Continues(changes[end - 1], changes[end], stride); end++)
            {
            }

            string where = isMapped
                ? $"level {place.Level} of {StateText.Td(_state, place.Td)}"
                : $"in S-EPT page {StateText.Page(_state, _state.TablePage(changes[first].Object))}, which no TD uses";
            _lines.Add($"S-EPT {Range(Name(first), Name(end - 1), end - first)} {where}: {EntryChange(changes[first], changes[end - 1], end - first)}");

            string Name(int at) => isMapped ? $"0x{place.GpaOf(changes[at].Position):x}" : $"entry {changes[at].Position}";
        }
    }

    // The next entry of the same table, changed alike, and what it points to follows on.
    private static bool Continues(in Change previous, in Change next, long stride) =>
        next.Object == previous.Object && next.Position == previous.Position + 1
        && Follows(new SeptEntry(previous.Old), new SeptEntry(next.Old), stride)
        && Follows(new SeptEntry(previous.New), new SeptEntry(next.New), stride);

    private static bool Follows(SeptEntry previous, SeptEntry next, long stride) =>
        previous.State == next.State && StateText.Flags(previous) == StateText.Flags(next)
        && next.Target - previous.Target == (next.IsLeaf ? stride : 0);

    private string EntryChange(in Change first, in Change last, int count)
    {
        SeptEntry old = new(first.Old);
        SeptEntry now = new(first.New);
        string oldTarget = StateText.Target(_state, old);
        string newTarget = StateText.Target(_state, now);
        string shown = count > 1 && now.IsLeaf
            ? $" pages {StateText.Page(_state, now.Target)} to {StateText.Page(_state, new SeptEntry(last.New).Target)}"
            : newTarget;
        string before = StateText.State(old) + (oldTarget == newTarget ? "" : oldTarget) + StateText.Flags(old);
        string after = StateText.State(now) + shown + StateText.Flags(now);
        return $"{(count > 1 ? $"{count} entries " : "")}{before} -> {after}";
    }

    private void WritePamt()
    {
        (PamtRef At, string Text)[] entries =
        [
            .. Of(ChangeKind.Pamt).GroupBy(change => change.PamtAt)
                .Select(entry => (At: entry.Key, Text: PamtChange(entry.Key, [.. entry])))
                .OrderBy(entry => entry.At.Size).ThenBy(entry => entry.At.Index),
        ];
        for (int first = 0, end; first < entries.Length; first = end)
        {
            PamtRef at = entries[first].At;
            for (end = first + 1; end < entries.Length && entries[end] == (at with { Index = at.Index + end - first }, entries[first].Text); end++)
            {
            }

            string size = StateText.SizeName(at.Size);
            string pages = Range(StateText.Page(_state, at.FirstPage), StateText.Page(_state, entries[end - 1].At.FirstPage), end - first);
            _lines.Add($"PAMT {pages} {(end - first > 1 ? $"{end - first} x " : "")}{size}: {entries[first].Text}");
        }
    }

    private string PamtChange(PamtRef at, Change[] changes)
    {
        var type = (PageType)_state.Pamt(at, PamtField.Type);
        bool hasNewType = changes.Any(change => change.PamtField == PamtField.Type);
        List<string> parts = [];
        foreach (Change change in changes.OrderBy(change => change.PamtField != PamtField.Type))
        {
            switch (change.PamtField)
            {
                case PamtField.Type:
                    parts.Add($"{(PageType)change.Old} -> {type}");
                    if (type is not (PageType.PT_NDA or PageType.PT_TDR))
                        parts.Add($"owner {StateText.Owner(_state, _state.Pamt(at, PamtField.Owner))}");
                    if (type is PageType.PT_REG or PageType.PT_EPT)
                        parts.Add($"BEPOCH {_state.Pamt(at, PamtField.Bepoch)}");
                    break;
                case PamtField.Lock:
                    parts.Add($"lock {StateText.HostPriorityLockWord(change.Old)} -> {StateText.HostPriorityLockWord(change.New)}");
                    break;
                case PamtField.Owner when !hasNewType:
                    parts.Add($"owner {StateText.Owner(_state, change.Old)} -> {StateText.Owner(_state, change.New)}");
                    break;
                case PamtField.Bepoch when !hasNewType:
                    parts.Add($"BEPOCH {change.Old} -> {change.New}");
                    break;
                default:
                    break;
            }
        }

        return hasNewType ? string.Join(", ", parts) : $"{type}, {string.Join(", ", parts)}";
    }

    private void WriteObjects(
        ChangeKind fields, ChangeKind? born, ChangeKind? freed, Func<IState, int, string> name, Func<Change, bool, string?> write)
    {
        HashSet<int> created = [.. _net.Where(change => change.Kind == born).Select(change => change.Object)];
        HashSet<int> gone = [.. _net.Where(change => change.Kind == freed).Select(change => change.Object)];
        HashSet<int> changed = [.. _net.Where(change => KindOf(change) == fields).Select(change => change.Object)];
        foreach (int handle in changed.Union(created).Union(gone).Order())
        {
            if (gone.Contains(handle))
            {
                _lines.Add($"{name(_state, handle)} is gone");
                continue;
            }

            bool isNew = created.Contains(handle);
            string[] parts =
            [
                .. _net.Where(change => KindOf(change) == fields && change.Object == handle)
                    .Select(change => write(change, isNew)).OfType<string>(),
            ];
            string text = string.Join(", ", parts);
            if (isNew)
                text = text.Length == 0 ? " is new" : $" is new: {text}";
            else if (text.Length > 0)
                text = $": {text}";
            if (text.Length > 0)
                _lines.Add(name(_state, handle) + text);
        }

        // What belongs to a TD or a vCPU without being one of its fields is written with them.
        static ChangeKind KindOf(in Change change) => change.Kind switch
        {
            ChangeKind.X2ApicId => ChangeKind.Td,
            ChangeKind.FaultingGpa => ChangeKind.Vcpu,
            _ => change.Kind,
        };
    }

    private string? TdChange(Change change, bool isNew) => change.Kind == ChangeKind.X2ApicId
        ? $"x2APIC id of vCPU {change.Position} 0x{change.Old:x} -> 0x{change.New:x}"
        : isNew && (TdField)change.Position == TdField.TdrPage ? null
        : Field(FieldText.Of((TdField)change.Position), change, isNew);

    private string? VcpuChange(Change change, bool isNew) => change.Kind == ChangeKind.FaultingGpa
        ? $"faulting GPA {change.Position} 0x{change.Old:x} -> 0x{change.New:x}"
        : isNew && (VcpuField)change.Position == VcpuField.TdvprPage ? null
        : Field(FieldText.Of((VcpuField)change.Position), change, isNew);

    private string Field(FieldText field, in Change change, bool isNew) => isNew
        ? $"{field.Name} {field.Write(_state, change.New)}"
        : $"{field.Name} {field.Write(_state, change.Old)} -> {field.Write(_state, change.New)}";

    private IEnumerable<Change> Of(ChangeKind kind) => _net.Where(change => change.Kind == kind);

    private static string Range(string first, string last, int count) => count > 1 ? $"{first} to {last}" : first;
}
