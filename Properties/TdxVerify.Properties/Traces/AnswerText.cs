using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Explain;

namespace TdxVerify.Properties.Traces;

/// <summary>What a call answered as a person reads it: the status, and the other registers decoded.</summary>
public static class AnswerText
{
    /// <summary>What an event says of its answer, such as <c>TDX_OPERAND_BUSY(SEPT_TREE)</c>; empty where it says nothing.</summary>
    public static string Recorded(in TraceEvent e) => e.Kind switch
    {
        TraceEventKind.Enter when e.Running => "in the guest",
        TraceEventKind.Seamcall or TraceEventKind.Enter or TraceEventKind.Exit or TraceEventKind.End => Seamcall(e.Input, e.Output),
        TraceEventKind.GuestResult => GuestResult(e),
        TraceEventKind.Lock => e.Ok ? "granted" : "refused",
        TraceEventKind.Unlock => e.Ok ? "done" : "refused",
        _ => "",
    };

    /// <summary>The answer of a SEAMCALL.</summary>
    /// <param name="input">The registers before it.</param>
    /// <param name="output">The registers after it.</param>
    public static string Seamcall(in RegisterFile input, in RegisterFile output)
    {
        var leaf = (HostLeaf)LeafNames.Number(input.Rax);
        if (leaf == HostLeaf.TDH_VP_ENTER && !new StatusCode(output.Rax).IsError)
            return TdExit(output);
        string status = new StatusCode(output.Rax).Name;
        RegisterSet explained = default;
        string decoded = new StatusCode(output.Rax).IsError
            ? Failure(leaf, input, output, ref explained)
            : Success(leaf, input, output, ref explained);
        return Join(status, decoded, Others(input, output, explained));
    }

    /// <summary>The answer of a TDCALL that returned to the guest.</summary>
    public static string Tdcall(in RegisterFile input, in RegisterFile output) =>
        Join(new StatusCode(output.Rax).Name, "", Others(input, output, default));

    private static string GuestResult(in TraceEvent e)
    {
        string text = e.Completed ? "completed" : e.VirtualizationException ? "#VE" : "not completed";
        return e.HasOutput ? $"{text}: {Tdcall(e.Input, e.Output)}" : text;
    }

    private static string TdExit(in RegisterFile output)
    {
        string name = VmExitReason.NameOf((uint)output.Rax) ?? $"unknown reason {(uint)output.Rax}";
        string status = output.Rax >> 32 == 0 ? "" : $", {new StatusCode(output.Rax).Name}";
        string exit = $"TD exit: {name}{status}";
        return (ExitReason)output.Rax == ExitReason.EptViolation
            ? Join(exit, $"GPA 0x{output.R8:x}, qualification 0x{output.Rcx:x}", Others(default, output, new RegisterSet().With(Register.R8).With(Register.Rcx)))
            : Join(exit, "", Others(default, output, default));
    }

    private static string Failure(HostLeaf leaf, in RegisterFile input, in RegisterFile output, ref RegisterSet explained)
    {
        string name = leaf.Name() ?? "";
        bool hasEntry = SeptEntryDetails.IsReportedBy(name) && (output.Rcx != input.Rcx || output.Rdx != input.Rdx);
        if (hasEntry && SeptEntryDetails.Decode(output.Rcx, output.Rdx) is { } entry)
        {
            explained = explained.With(Register.Rcx).With(Register.Rdx);
            return $"entry {entry}";
        }

        return PamtEntryDetails.IsReportedBy(name) ? Pamt(output, ref explained) : "";
    }

    private static string Success(HostLeaf leaf, in RegisterFile input, in RegisterFile output, ref RegisterSet explained)
    {
        switch (leaf)
        {
            case HostLeaf.TDH_MEM_SEPT_RD when SeptEntryDetails.Decode(output.Rcx, output.Rdx) is { } entry:
                explained = explained.With(Register.Rcx).With(Register.Rdx);
                return $"entry {entry}";
            case HostLeaf.TDH_PHYMEM_PAGE_RECLAIM:
            case HostLeaf.TDH_PHYMEM_PAGE_RDMD:
                return Pamt(output, ref explained);
            case HostLeaf.TDH_MNG_RD:
            case HostLeaf.TDH_VP_RD:
                explained = explained.With(Register.R8);
                return $"value 0x{output.R8:x}";
            case HostLeaf.TDH_MEM_PAGE_REMOVE:
            case HostLeaf.TDH_MEM_PAGE_RELOCATE:
                return ReturnedPage("page", output, ref explained);
            case HostLeaf.TDH_MEM_SEPT_REMOVE:
            case HostLeaf.TDH_MEM_PAGE_PROMOTE:
                return ReturnedPage("S-EPT page", output, ref explained);
            default:
                return "";
        }
    }

    private static string ReturnedPage(string what, in RegisterFile output, ref RegisterSet explained)
    {
        explained = explained.With(Register.Rcx);
        return $"{what} 0x{output.Rcx:x}";
    }

    private static string Pamt(in RegisterFile output, ref RegisterSet explained)
    {
        foreach (Register register in (Register[])[Register.Rcx, Register.Rdx, Register.R8, Register.R9])
            explained = explained.With(register);
        string bepoch = output.R9 == 0 ? "" : $", BEPOCH {output.R9}";
        return PamtEntryDetails.Decode(output.Rcx, output.Rdx, output.R8) is { } entry ? $"{entry}{bepoch}" : "";
    }

    // Registers that the call set to something; those that it cleared say nothing to a person.
    private static string Others(in RegisterFile input, in RegisterFile output, RegisterSet explained)
    {
        var names = new List<Register>();
        foreach (Register register in RegisterFile.All)
        {
            if (register != Register.Rax && !explained.Contains(register) && output[register] != 0 && output[register] != input[register])
                names.Add(register);
        }

        return Raw(output, names);
    }

    private static string Raw(RegisterFile output, IEnumerable<Register> registers) => string.Join(
        ", ", registers.Where(register => output[register] != 0).Select(register => $"{TraceEventText.Name(register)}=0x{output[register]:x}"));

    private static string Join(string status, string decoded, string others)
    {
        string details = string.Join(", ", ((string[])[decoded, others]).Where(text => text.Length > 0));
        return details.Length == 0 ? status : $"{status}: {details}";
    }
}
