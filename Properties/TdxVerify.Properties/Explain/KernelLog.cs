using TdxVerify.Abi;

namespace TdxVerify.Properties.Explain;

/// <summary>
/// Finds TDX statuses in text that somebody pasted: kernel logs, mails, source. The messages it knows, with the
/// leaf and the registers they carry, are those of Linux's arch/x86/virt/vmx/tdx and arch/x86/kvm/vmx/tdx.c:
/// <code>
/// virt/tdx: SEAMCALL (0x0000000000000023) failed: 0xc000050500000000
/// virt/tdx: RCX 0x0000000000000000 RDX 0x0000000000000000 R08 0x0000000000000000
/// kvm_intel: SEAMCALL TDH_MEM_PAGE_AUG failed: 0xc0000b0d00000001, rcx 0x..., rdx 0x...
/// kvm_intel: SEAMCALL TDH_MEM_PAGE_REMOVE failed: 0x8000020000000001, entry 0x..., level_state 0x...
/// kvm_intel: TDH_VP_RD[VMCS.0x681e] failed 0x8000020000000082
/// tdx: SEAMCALL failed: CPU 94: leaf 33, error 0xc000092100000122.
/// </code>
/// </summary>
public static class KernelLog
{
    // The registers of one SEAMCALL are printed below its status, not further away than this.
    private const int RegisterLines = 2;

    private const int HexDigits = 16;

    private static readonly HashSet<string> s_statusLabels = new(StringComparer.OrdinalIgnoreCase)
    {
        "failed", "fail", "fails", "error", "err", "ret", "sret", "return", "returned", "returns", "status", "rax", "code",
        "result", "with", "vp_enter_ret", "is", "got",
    };

    private static readonly Dictionary<string, Register> s_registerLabels = new(StringComparer.OrdinalIgnoreCase)
    {
        ["rcx"] = Register.Rcx,
        ["entry"] = Register.Rcx,
        ["ext_err1"] = Register.Rcx,
        ["rdx"] = Register.Rdx,
        ["level_state"] = Register.Rdx,
        ["ext_err2"] = Register.Rdx,
        ["r8"] = Register.R8,
        ["r08"] = Register.R8,
    };

    // Numbers after these are addresses and other registers, whatever they look like.
    private static readonly HashSet<string> s_otherLabels = new(StringComparer.OrdinalIgnoreCase)
    {
        "r9", "r09", "r10", "r11", "r12", "r13", "r14", "r15", "rbx", "rsi", "rdi", "rbp", "rsp", "rip", "gpa", "hpa", "gfn", "pfn", "spte", "cr2", "cr3",
    };

    private static readonly HashSet<string> s_leafLabels = new(StringComparer.OrdinalIgnoreCase) { "seamcall", "tdcall", "leaf", "fn" };

    /// <summary>The statuses of a text, in the order in which they first occur; the same one again is counted.</summary>
    public static IReadOnlyList<LogFinding> Find(IEnumerable<string> lines)
    {
        List<Found> all = [];
        int number = 0;
        foreach (string line in lines)
            ReadLine(line, ++number, all);

        return
        [
            .. all.GroupBy(found => (found.Query, found.Leaf, found.Rcx, found.Rdx, found.R8))
                .Select(same => new LogFinding(
                    same.Key.Query, same.Key.Leaf, same.Key.Rcx, same.Key.Rdx, same.Key.R8, same.First().Text.Trim(), [.. same.Select(found => found.Line).Distinct()])),
        ];
    }

    private static void ReadLine(string line, int number, List<Found> all)
    {
        List<Word> words = [.. Split(line)];
        string? leaf = null;
        string label = "";
        int firstOfLine = all.Count;
        foreach (Word word in words)
        {
            string text = line[word.Start..word.End];
            if (LeafParser.FindInMessage(text) is { } named)
            {
                leaf = named;
            }
            else if (s_leafLabels.Contains(label) && TryReadLeaf(text, out string? numbered))
            {
                leaf = numbered;
            }
            else if (!IsNumber(text))
            {
                if (TryReadName(line, word, out StatusQuery query) && !all.Skip(firstOfLine).Any(found => IsNameOf(query, found)))
                    all.Add(new Found(query, leaf, number, line));
            }
            else if (s_registerLabels.TryGetValue(label, out Register register))
            {
                SetRegister(all, register, text, number);
            }
            else if (!s_otherLabels.Contains(label) && TryReadStatus(text, s_statusLabels.Contains(label), leaf, out StatusQuery query))
            {
                all.Add(new Found(query, leaf, number, line));
            }

            label = text;
        }

        // "0x8000020000000001 from TDH.MEM.TRACK": the leaf may also follow.
        foreach (Found found in all.Skip(firstOfLine))
            found.Leaf ??= leaf;
    }

    // "0xc0000b0800000001 is TDX_TLB_TRACKING_NOT_DONE": said twice, and once with more detail.
    private static bool IsNameOf(StatusQuery query, Found found) => query.AnyDetails && query.Matches(found.Query.Status.Value);

    private static bool IsNumber(string text) =>
        text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
        || (text.Length >= HexDigits && text.TrimStart('-').All(char.IsAsciiHexDigit));

    private static bool TryReadLeaf(string text, out string? leaf)
    {
        leaf = char.IsAsciiDigit(text[0]) && StatusParser.TryParse(text, out StatusQuery number, out _) ? LeafParser.FindHost(number.Status.Value) : null;
        return leaf is not null;
    }

    private static bool TryReadStatus(string text, bool isLabelled, string? leaf, out StatusQuery query)
    {
        if (!StatusParser.TryParse(text, out query, out _))
            return false;

        StatusCode status = query.Status;
        bool isNamed = status.Info is not null || KernelStatus.NameOf(status.Value) is not null;
        if (isNamed && status.IsError)
            return true;
        if (!isLabelled)
            return false;
        if (isNamed)
            return status.Base.Value != 0 || leaf == "TDH.VP.ENTER";

        // Unknown, but of a status's shape: bits 59:48 are reserved. A kernel address or an errno is not.
        return status.IsError && (status.Value & 0x0FFF_0000_0000_0000) == 0;
    }

    /// <summary>A name, with its operand behind it: <c>NAME(OPERAND)</c>, <c>NAME | OPERAND</c>.</summary>
    private static bool TryReadName(string line, Word word, out StatusQuery query)
    {
        query = default;
        string name = line[word.Start..word.End];
        if (!name.StartsWith("TD", StringComparison.Ordinal) || !StatusParser.TryParse(name, out query, out _))
            return false;

        string rest = line[word.End..].TrimStart();
        int end = rest.StartsWith('(') ? rest.IndexOf(')', StringComparison.Ordinal) : rest.StartsWith('|') ? EndOfWord(rest, 1) : -1;
        if (end > 0 && StatusParser.TryParse(name + rest[..end], out StatusQuery withOperand, out _))
            query = withOperand;
        return true;
    }

    private static int EndOfWord(string text, int start)
    {
        while (start < text.Length && text[start] == ' ')
            start++;
        while (start < text.Length && IsWordCharacter(text[start]))
            start++;
        return start;
    }

    private static void SetRegister(List<Found> all, Register register, string text, int line)
    {
        if (all.LastOrDefault() is not { } found || line - found.Line > RegisterLines || !StatusParser.TryParse(text, out StatusQuery number, out _))
            return;

        switch (register)
        {
            case Register.Rcx:
                found.Rcx ??= number.Status.Value;
                break;
            case Register.Rdx:
                found.Rdx ??= number.Status.Value;
                break;
            default:
                found.R8 ??= number.Status.Value;
                break;
        }
    }

    private static IEnumerable<Word> Split(string line)
    {
        int start = 0;
        while (start < line.Length)
        {
            if (!IsWordCharacter(line[start]))
            {
                start++;
                continue;
            }

            int end = start;
            while (end < line.Length && (IsWordCharacter(line[end]) || IsDotInWord(line, end)))
                end++;
            yield return new Word(start > 0 && line[start - 1] == '-' ? start - 1 : start, end);
            start = end;
        }
    }

    private static bool IsWordCharacter(char character) => char.IsAsciiLetterOrDigit(character) || character == '_';

    private static bool IsDotInWord(string line, int at) =>
        line[at] == '.' && at + 1 < line.Length && IsWordCharacter(line[at + 1]);

    private readonly record struct Word(int Start, int End);

    private sealed class Found(StatusQuery query, string? leaf, int line, string text)
    {
        public StatusQuery Query => query;

        public int Line => line;

        public string Text => text;

        public string? Leaf { get; set; } = leaf;

        public ulong? Rcx { get; set; }

        public ulong? Rdx { get; set; }

        public ulong? R8 { get; set; }
    }
}
