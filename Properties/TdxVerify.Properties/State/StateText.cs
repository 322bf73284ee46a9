using TdxVerify.Model;
using TdxVerify.Properties.Explain;

namespace TdxVerify.Properties.State;

/// <summary>Objects and values of the model's state as a TDX engineer names them.</summary>
public static class StateText
{
    /// <summary>The HPA of a page that is counted from the start of the TDMR.</summary>
    public static ulong Hpa(IState state, long page) => state.Platform.PageBase + ((ulong)page << Abi.Hpa.PageShift);

    /// <summary>A page by its HPA, such as <c>0x10001a000</c>.</summary>
    public static string Page(IState state, long page) => $"0x{Hpa(state, page):x}";

    /// <summary>A TD by its TDR page, such as <c>TD 0x100000000</c>.</summary>
    public static string Td(IState state, int td) => $"TD {Page(state, (long)state.Td(td, TdField.TdrPage))}";

    /// <summary>A vCPU by its TDVPR page, such as <c>vCPU 0x10000c000</c>.</summary>
    public static string Vcpu(IState state, int vcpu) => $"vCPU {Page(state, (long)state.Vcpu(vcpu, VcpuField.TdvprPage))}";

    /// <summary>A PAMT entry by its first page and its size, such as <c>PAMT 0x100200000 2 MiB</c>.</summary>
    public static string Pamt(IState state, PamtRef at) => $"PAMT {Page(state, at.FirstPage)} {SizeName(at.Size)}";

    /// <summary>A page size: 0 is 4 KiB, 1 is 2 MiB, 2 is 1 GiB.</summary>
    public static string SizeName(int size) => SeptEntryDetails.LevelName(size);

    /// <summary>What a PAMT entry's owner field says: the TDR, or none.</summary>
    public static string Owner(IState state, ulong owner) => owner == 0 ? "none" : Page(state, (long)owner - 1);

    /// <summary>An S-EPT entry, such as <c>PENDING page 0x10001a000, locked</c>.</summary>
    public static string Entry(IState state, SeptEntry entry) => State(entry) + Target(state, entry) + Flags(entry);

    /// <summary>An S-EPT entry without what it points to.</summary>
    public static string State(SeptEntry entry) => entry.State.ToString();

    /// <summary>What an S-EPT entry points to, with a space in front; empty where it points to nothing.</summary>
    public static string Target(IState state, SeptEntry entry) =>
        entry.IsLeaf ? $" page {Page(state, entry.Target)}"
        : SeptStates.NonLeaf.Contains(entry.State) ? $" S-EPT page {Page(state, state.TablePage(entry.Target))}"
        : "";

    /// <summary>Lock bit, host-priority bit and accept counter of an S-EPT entry, with a comma in front; empty where all are 0.</summary>
    public static string Flags(SeptEntry entry)
    {
        string text = entry.IsLocked ? ", locked" : "";
        if (entry.HasHostPriority)
            text += ", host priority";
        if (entry.AcceptCounter != 0)
            text += $", {entry.AcceptCounter} of 512 chunks accepted";
        return text;
    }

    /// <summary>A lock word of the S-EPT tree, the TD epoch or the KOT, such as <c>2 readers</c>.</summary>
    public static string PlainLockWord(ulong word) => LockWord(PlainLock.IsExclusive(word), PlainLock.Readers(word));

    /// <summary>A lock word of OP_STATE or of a PAMT entry, such as <c>exclusive + host priority</c>.</summary>
    public static string HostPriorityLockWord(ulong word)
    {
        string holders = LockWord(HostPriorityLock.IsExclusive(word), HostPriorityLock.Readers(word));
        return HostPriorityLock.HasHostPriority(word) ? $"{holders} + host priority" : holders;
    }

    // Readers under an exclusive holder are those whose refused attempts left the count raised.
    private static string LockWord(bool exclusive, int readers)
    {
        string count = readers == 1 ? "1 reader" : $"{readers} readers";
        if (!exclusive)
            return readers == 0 ? "free" : count;
        return readers == 0 ? "exclusive" : $"exclusive ({count} left behind by refused attempts)";
    }
}
