using System.Text;
using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>The lock table: which leaf takes which lock how, read off the declared steps.</summary>
public static class LockTable
{
    private static readonly LockColumn[] s_columns = Enum.GetValues<LockColumn>();

    /// <summary>The document.</summary>
    public static string Write()
    {
        LeafSet<ArraysState> first = LeafSet<ArraysState>.Of(ModuleProfile.V1_5_01);
        LeafSet<ArraysState> later = LeafSet<ArraysState>.Of(ModuleProfile.V1_5_05);
        var text = new StringBuilder(
            """
            # Locks

            Module 1.5.01. No lock is waited for: a refused attempt ends the call with a busy status.

            - *walk*: the page's 1 GiB and 2 MiB PAMT entries are locked shared on the way to its 4 KiB entry. An exclusive
              walk that ends at a large page promotes that entry to exclusive.
            - *implicit*: the page is known from the module's own data; only its own PAMT entry is locked.
            - *host*, *guest*: the two flavours of an S-EPT entry lock. A refused host sets the entry's host-priority bit,
              and guests keep away until a host was granted the lock.
            - PAMT entries and OP_STATE are locks with host priority; S-EPT tree, TD epoch and KOT are plain ones.
            - *TDR PAMT* and *TDVPR PAMT* stay locked shared while a vCPU is in the guest; TDCALLs take neither.


            """);
        LockSummary[] leaves = [.. Summaries(first)];
        Markdown.Header(text, ["leaf", .. s_columns.Select(column => column.Name())]);
        foreach (LockSummary leaf in leaves)
            WriteModes(text, leaf);

        text.Append("\n## Order\n\nLocks in the order in which they are taken, each with the status of a refused attempt; then the order in which they are dropped.\n\n");
        WriteOrders(text, leaves);

        LockSummary[] changed = [.. Summaries(later).Where(leaf => !leaves.Any(other => IsSame(leaf, other)))];
        text.Append("\n## Module 1.5.05\n\nOnly what differs.\n\n");
        Markdown.Header(text, ["leaf", .. s_columns.Select(column => column.Name())]);
        foreach (LockSummary leaf in changed)
            WriteModes(text, leaf);
        text.Append('\n');
        WriteOrders(text, changed);
        return text.ToString();
    }

    private static IEnumerable<LockSummary> Summaries(LeafSet<ArraysState> leaves) =>
        leaves.All.Where(leaf => leaf.Id.Number >= 0 || leaf.Id.Name == leaves.TdExit.Id.Name).Select(LockSummary.Of);

    private static bool IsSame(LockSummary one, LockSummary other) => one.Leaf == other.Leaf && Acquired(one) == Acquired(other);

    private static void WriteModes(StringBuilder text, LockSummary leaf) =>
        Markdown.Row(text, [leaf.Leaf.Name, .. s_columns.Select(column => leaf[column])]);

    private static void WriteOrders(StringBuilder text, IEnumerable<LockSummary> leaves)
    {
        Markdown.Header(text, "leaf", "taken", "dropped by a call that succeeds", "dropped by a call that fails");
        foreach (LockSummary leaf in leaves)
        {
            string kept = leaf.Kept.IsEmpty ? "" : $"; kept while the guest runs: {Names(leaf.Kept)}";
            Markdown.Row(text, leaf.Leaf.Name, Acquired(leaf), Names(leaf.ReleasedOnSuccess) + kept, leaf.Acquired.IsEmpty ? "" : Names(leaf.ReleasedOnFailure));
        }
    }

    private static string Acquired(LockSummary leaf) => string.Join("<br>", leaf.Acquired.Select((row, index) =>
        $"{index + 1}. {row.Column.Name()} {row.Mode}: {string.Join(" or ", row.Busy.Select(Busy))}"));

    private static string Busy(ulong status) => $"{new StatusCode(status).Name} `0x{status:X16}`";

    private static string Names(IEnumerable<LockColumn> columns) => string.Join(" > ", columns.Select(column => column.Name()));
}
