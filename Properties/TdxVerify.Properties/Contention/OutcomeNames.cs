using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Properties.Contention;

/// <summary>Names of statuses as contention.csv writes them.</summary>
internal static class OutcomeNames
{
    public static string Of(ulong rax) => new StatusCode(rax).Base.Value switch
    {
        Status.TDX_PAGE_SIZE_MISMATCH => $"TDX_PAGE_SIZE_MISMATCH(level{(uint)rax})",
        Status.TDX_PAGE_ALREADY_ACCEPTED => "TDX_PAGE_ALREADY_ACCEPTED",
        _ => new StatusCode(rax).ToString(),
    };

    /// <summary>How a call ended: an exit from the guest by its reason, and in brackets what a TDCALL returned that did.</summary>
    /// <param name="rax">RAX of the call.</param>
    /// <param name="ofVcpu">It was one on a vCPU.</param>
    /// <param name="tdcall">RAX of the TDCALL; null: none returned.</param>
    public static string Of(ulong rax, bool ofVcpu, ulong? tdcall)
    {
        string name = ofVcpu && rax is (ulong)ExitReason.Tdcall or (ulong)ExitReason.EptViolation ? $"exit{rax}" : Of(rax);
        return tdcall is { } returned ? $"{name}[{Of(returned)}]" : name;
    }

    /// <summary>The operand in a status's name.</summary>
    public static string Operand(ulong rax) => Operand(Of(rax), Of(rax).IndexOf('(', StringComparison.Ordinal) + 1);

    /// <summary>The operands of OPERAND_BUSY in the outcome of a call: its own, or that of its TDCALL.</summary>
    public static IEnumerable<string> BusyOperands(string outcome)
    {
        const string Busy = "TDX_OPERAND_BUSY(";
        for (int at = outcome.IndexOf(Busy, StringComparison.Ordinal); at >= 0; at = outcome.IndexOf(Busy, at + 1, StringComparison.Ordinal))
            yield return Operand(outcome, at + Busy.Length);
    }

    private static string Operand(string text, int start) => text[start..text.IndexOf(')', start)];
}
