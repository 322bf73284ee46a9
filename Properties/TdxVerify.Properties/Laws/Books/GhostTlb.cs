namespace TdxVerify.Properties.Laws.Books;

/// <summary>
/// The translations of one TD that one logical processor may hold: when vCPUs of the TD ran there since the last INVEPT.
/// Whatever translation existed during such a stay may have been cached.
/// </summary>
internal sealed class GhostTlb
{
    private (long From, long To)[] _stays = new (long, long)[4];
    private int _count;

    /// <summary>The TD never ran here since the last INVEPT.</summary>
    public bool IsEmpty => _count == 0;

    /// <summary>When a vCPU of the TD entered here first since the last INVEPT; never: the latest time there is.</summary>
    public long Oldest => _count == 0 ? long.MaxValue : _stays[0].From;

    /// <summary>A page handed back whose translation may be held here: harmless as long as the TD does not run here before the next INVEPT.</summary>
    public PageChange? Stale { get; set; }

    /// <summary>INVEPT.</summary>
    public void Invalidate()
    {
        _count = 0;
        Stale = null;
    }

    /// <summary>A vCPU of the TD is in the guest from now on.</summary>
    public void Begin(long now)
    {
        if (_count == _stays.Length)
            Array.Resize(ref _stays, 2 * _count);
        _stays[_count++] = (now, long.MaxValue);
    }

    /// <summary>It left.</summary>
    public void End(long now)
    {
        if (_count > 0)
            _stays[_count - 1].To = now;
    }

    /// <summary>A translation that existed from <paramref name="from"/> to <paramref name="to"/> may be held.</summary>
    public bool MayHold(long from, long to)
    {
        for (int i = _count - 1; i >= 0; i--)
        {
            if (_stays[i].To < from)
                return false;
            if (_stays[i].From <= to)
                return true;
        }

        return false;
    }
}
