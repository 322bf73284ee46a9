namespace TdxVerify.Model;

/// <summary>
/// What real processors might still translate although the S-EPT no longer says so: for each logical processor the
/// pages of which it may hold a stale translation, leaf or paging-structure entry. An observer: laws read it, no outcome
/// does.
/// </summary>
/// <remarks>
/// A processor may hold every translation that existed while a vCPU of the TD was in the guest there and that no flush
/// dropped since (facts/epoch.md). So a translation that goes away becomes a stale one on each processor that ever ran
/// the TD. One that came and went while no vCPU ran there is counted too: the page cannot be handed back before the
/// epoch moved on, and then the next TDH.VP.ENTER flushes.
/// </remarks>
/// <param name="lpCount">Logical processors.</param>
/// <param name="pages">The pages watched, at most 64, counted from the start of the TDMR.</param>
public sealed class StaleTranslations(int lpCount, IReadOnlyList<int> pages)
{
    /// <summary>The pages watched.</summary>
    public IReadOnlyList<int> Pages => pages;

    /// <summary>A stale translation of the page may be in the TLB of a processor that is in the guest.</summary>
    public bool IsExposed(ICells cells, int page)
    {
        for (int lp = 0; lp < lpCount; lp++)
        {
            if (cells.Read(Cell.Lp(lp, LpField.RunningVcpu)) != 0 && (cells.Read(Stale(lp)) & Bit(page)) != 0)
                return true;
        }

        return false;
    }

    /// <summary>An S-EPT entry is about to change.</summary>
    internal void EntryChanges(ICells cells, SeptEntry old, SeptEntry entry)
    {
        if (!Translates(old) || (Translates(entry) && old.Target == entry.Target) || Bit(old.Target) == 0)
            return;
        for (int lp = 0; lp < lpCount; lp++)
        {
            if (cells.Read(Cell.Lp(lp, LpField.LastVcpu)) != 0)
                cells.Write(Stale(lp), cells.Read(Stale(lp)) | Bit(old.Target));
        }
    }

    /// <summary>A processor drops all its translations.</summary>
    internal void Invalidate(ICells cells, int lp) => cells.Write(Stale(lp), 0);

    private static Cell Stale(int lp) => new(ChangeKind.StaleTranslation, lp, 0);

    private static bool Translates(SeptEntry entry) => entry.State is SeptState.MAPPED or SeptState.NL_MAPPED;

    private ulong Bit(int page)
    {
        for (int i = 0; i < pages.Count; i++)
        {
            if (pages[i] == page)
                return 1UL << i;
        }

        return 0;
    }
}
