using TdxVerify.Model;

namespace TdxVerify.Properties.Schedules.Laws;

/// <summary>
/// A page that the module hands back is in no TLB with which its TD can still run (facts/epoch.md). A processor on which a
/// vCPU of the TD has been in the guest since its last INVEPT may hold every translation that existed meanwhile.
/// </summary>
public sealed class StaleTlbLaw() : InterleavingLaw("no-stale-translation", "A page handed back to the host is in no TLB that its TD can still use.")
{
    private readonly HashSet<(int Lp, int Td)> _ran = [];
    private readonly Dictionary<(int Lp, int Td), HashSet<int>> _stale = [];

    /// <inheritdoc/>
    public override void Begin(ConcurrentView view)
    {
        _ran.Clear();
        _stale.Clear();
        ref BranchingState s = ref view.State;
        for (int lp = 0; lp < view.Agents.Length; lp++)
        {
            // Whoever is no longer associated with the processor was flushed from it, with an INVEPT.
            int vcpu = (int)s.Lp(lp, LpField.LastVcpu) - 1;
            if (vcpu >= 0 && s.Live.Vcpus.Contains(vcpu) && s.Vcpu(vcpu, VcpuField.AssociatedLp) == (ulong)lp + 1 && TdOf(s, vcpu) is >= 0 and var td)
                _ran.Add((lp, td));
        }
    }

    /// <inheritdoc/>
    public override string? AfterStep(ConcurrentView view)
    {
        ref BranchingState s = ref view.State;
        foreach (ref readonly Change change in view.LastChanges)
        {
            string? wrong = change.Kind switch
            {
                ChangeKind.Entry => Entry(view, change),
                ChangeKind.InvalidateEpt => Flush(s, change.Object, change.Position),
                ChangeKind.Pamt when change.PamtField == PamtField.Type => HandBack(s, change),
                ChangeKind.Lp when (LpField)change.Position == LpField.RunningVcpu && change.New != 0 => Enter(s, change.Object, (int)change.New - 1),
                _ => null,
            };
            if (wrong is not null)
                return wrong;
        }

        return null;
    }

    private static int TdOf(in BranchingState s, int vcpu) =>
        (int)s.Pamt(new PamtRef(0, (int)s.Vcpu(vcpu, VcpuField.TdvprPage)), PamtField.Owner) is > 0 and var owner ? s.Holder(owner - 1) : -1;

    private static int PageOf(in BranchingState s, SeptEntry entry) => entry.State switch
    {
        SeptState.MAPPED => entry.Target,
        SeptState.NL_MAPPED => s.TablePage(entry.Target),
        _ => -1,
    };

    private string? Entry(ConcurrentView view, in Change change)
    {
        int before = PageOf(view.State, new SeptEntry(change.Old));
        if (before < 0 || before == PageOf(view.State, new SeptEntry(change.New)))
            return null;
        int td = view.Agents[view.Current].Call.Td;
        foreach ((int Lp, int Td) place in _ran)
        {
            if (place.Td != td)
                continue;
            if (!_stale.TryGetValue(place, out HashSet<int>? pages))
                _stale.Add(place, pages = []);
            pages.Add(before);
        }

        return null;
    }

    private string? Flush(in BranchingState s, int lp, int td)
    {
        _stale.Remove((lp, td));
        if (!IsRunning(s, lp, td))
            _ran.Remove((lp, td));
        return null;
    }

    private static bool IsRunning(in BranchingState s, int lp, int td) =>
        s.Lp(lp, LpField.RunningVcpu) is not 0 and var running && TdOf(s, (int)running - 1) == td;

    private string? HandBack(in BranchingState s, in Change change)
    {
        if ((PageType)change.New != PageType.PT_NDA || (PageType)change.Old is not (PageType.PT_REG or PageType.PT_EPT))
            return null;
        Judged++;
        foreach (((int lp, int td), HashSet<int> pages) in _stale)
        {
            if (pages.Contains(change.PamtAt.FirstPage) && IsRunning(s, lp, td))
                return $"a page is handed back while LP {lp}, which is in the guest, may still translate to it";
        }

        return null;
    }

    private string? Enter(in BranchingState s, int lp, int vcpu)
    {
        int td = TdOf(s, vcpu);
        _ran.Add((lp, td));
        if (!_stale.TryGetValue((lp, td), out HashSet<int>? pages))
            return null;
        foreach (int page in pages)
        {
            Judged++;
            if ((PageType)s.Pamt(new PamtRef(0, page), PamtField.Type) == PageType.PT_NDA && (PageType)s.Pamt(PamtRef.Of(1, page), PamtField.Type) == PageType.PT_NDA
                && (PageType)s.Pamt(PamtRef.Of(2, page), PamtField.Type) == PageType.PT_NDA)
            {
                return $"LP {lp} enters the guest without INVEPT while it may still translate to a page that was handed back";
            }
        }

        return null;
    }
}
