using System.Runtime.InteropServices;
using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;

namespace TdxVerify.Properties.Laws.Books;

/// <summary>A TD as the roster knows it.</summary>
internal struct TdRecord
{
    /// <summary>It exists.</summary>
    public bool Exists;

    /// <summary>Page index of its TDR.</summary>
    public int TdrPage;

    /// <summary>Tells apart TDs that had the same handle one after the other.</summary>
    public int Generation;
}

/// <summary>A vCPU as the roster knows it.</summary>
internal struct VcpuRecord
{
    /// <summary>It exists.</summary>
    public bool Exists;

    /// <summary>Page index of its TDVPR.</summary>
    public int Page;

    /// <summary>Its TD; -1: the page that it was created in names no TD.</summary>
    public int Td;
}

/// <summary>A vCPU's stay in the guest on a logical processor.</summary>
internal struct Stay
{
    /// <summary>The vCPU.</summary>
    public int Vcpu;

    /// <summary>Its TD; -1: none is known.</summary>
    public int Td;

    /// <summary>When it was entered; 0: nobody is in the guest here.</summary>
    public long Entered;
}

/// <summary>Who exists and who is in the guest where, from the events alone: entries that got there, and exits.</summary>
internal sealed class Roster
{
    private readonly List<TdRecord> _tds = [];
    private readonly List<VcpuRecord> _vcpus = [];
    private Stay[] _stays = [];
    private int _generation;

    /// <summary>The event brought a vCPU into the guest, perhaps only for its own length.</summary>
    public bool Entered { get; private set; }

    /// <summary>The event ended a vCPU's stay in the guest.</summary>
    public bool Left { get; private set; }

    /// <summary>The stay that the event began or ended; both for a whole TDH.VP.ENTER.</summary>
    public Stay Visit { get; private set; }

    /// <summary>TDs that exist now.</summary>
    public int LiveTds { get; private set; }

    /// <summary>TDs, by handle; some do not exist any more.</summary>
    public ReadOnlySpan<TdRecord> Tds => CollectionsMarshal.AsSpan(_tds);

    /// <summary>vCPUs, by handle; some do not exist any more.</summary>
    public ReadOnlySpan<VcpuRecord> Vcpus => CollectionsMarshal.AsSpan(_vcpus);

    /// <summary>Stays in the guest, by logical processor.</summary>
    public ReadOnlySpan<Stay> Stays => _stays;

    /// <summary>Takes the size of the platform.</summary>
    public void Fit(PlatformInfo platform) => _stays = new Stay[platform.LpCount];

    /// <summary>A new sequence.</summary>
    public void Reset()
    {
        _tds.Clear();
        _vcpus.Clear();
        Array.Clear(_stays);
        LiveTds = 0;
        Entered = false;
        Left = false;
        Visit = default;
    }

    /// <summary>Takes over an event.</summary>
    public void Update(Observation o, RunBooks books)
    {
        Entered = false;
        Left = false;
        if (books.Wrote(ChangeKind.NewTd) || books.Wrote(ChangeKind.FreeTd) || books.Wrote(ChangeKind.NewVcpu) || books.Wrote(ChangeKind.FreeVcpu))
            UpdateObjects(o, books.Effects);
        switch (o.Kind)
        {
            case TraceEventKind.Enter when o.Running:
                Visit = Begin(o, books.Now);
                _stays[o.Lp] = Visit;
                break;
            case TraceEventKind.Seamcall when o.GuestRan && o.Leaf == HostLeaf.TDH_VP_ENTER:
                Visit = Begin(o, books.Now);
                Left = true;
                break;
            case TraceEventKind.Exit when (uint)o.Lp < (uint)_stays.Length && _stays[o.Lp].Entered != 0:
                Visit = _stays[o.Lp];
                _stays[o.Lp] = default;
                Left = true;
                break;
            default:
                break;
        }
    }

    /// <summary>The TD whose TDR is in this page; -1: none.</summary>
    public int FindTd(int tdrPage)
    {
        ReadOnlySpan<TdRecord> tds = Tds;
        for (int td = 0; td < tds.Length; td++)
        {
            if (tds[td].Exists && tds[td].TdrPage == tdrPage)
                return td;
        }

        return -1;
    }

    /// <summary>The vCPU whose TDVPR is in this page; -1: none.</summary>
    public int FindVcpu(int page)
    {
        ReadOnlySpan<VcpuRecord> vcpus = Vcpus;
        for (int vcpu = 0; vcpu < vcpus.Length; vcpu++)
        {
            if (vcpus[vcpu].Exists && vcpus[vcpu].Page == page)
                return vcpu;
        }

        return -1;
    }

    /// <summary>The TD exists.</summary>
    public bool Exists(int td) => (uint)td < (uint)_tds.Count && _tds[td].Exists;

    /// <summary>A vCPU of the TD is in the guest.</summary>
    public bool IsInside(int td)
    {
        foreach (ref readonly Stay stay in Stays)
        {
            if (stay.Entered != 0 && stay.Td == td)
                return true;
        }

        return false;
    }

    /// <summary>The logical processor on which a vCPU of the TD is in the guest since before <paramref name="time"/>; -1: none.</summary>
    public int InsideSinceBefore(int td, long time)
    {
        for (int lp = 0; lp < _stays.Length; lp++)
        {
            if (_stays[lp].Entered != 0 && _stays[lp].Td == td && _stays[lp].Entered < time)
                return lp;
        }

        return -1;
    }

    private Stay Begin(Observation o, long now)
    {
        Entered = true;
        int vcpu = FindVcpu(RunBooks.Page(o, o.Input.Rcx & 0x000F_FFFF_FFFF_F000));
        return new Stay { Vcpu = vcpu, Td = vcpu < 0 ? -1 : _vcpus[vcpu].Td, Entered = now };
    }

    private void UpdateObjects(Observation o, ReadOnlySpan<Change> effects)
    {
        foreach (ref readonly Change change in effects)
        {
            switch (change.Kind)
            {
                case ChangeKind.NewTd:
                    Grow(_tds, change.Object);
                    LiveTds += _tds[change.Object].Exists ? 0 : 1;
                    _tds[change.Object] = new TdRecord { Exists = true, TdrPage = (int)change.New, Generation = ++_generation };
                    break;
                case ChangeKind.FreeTd:
                    Grow(_tds, change.Object);
                    LiveTds -= _tds[change.Object].Exists ? 1 : 0;
                    _tds[change.Object] = _tds[change.Object] with { Exists = false };
                    break;
                case ChangeKind.NewVcpu:
                    int owner = (int)o.State.Pamt(new PamtRef(0, (int)change.New), PamtField.Owner) - 1;
                    Grow(_vcpus, change.Object);
                    _vcpus[change.Object] = new VcpuRecord { Exists = true, Page = (int)change.New, Td = FindTd(owner) };
                    break;
                case ChangeKind.FreeVcpu:
                    Grow(_vcpus, change.Object);
                    _vcpus[change.Object] = _vcpus[change.Object] with { Exists = false };
                    break;
                default:
                    break;
            }
        }
    }

    private static void Grow<T>(List<T> list, int handle)
        where T : struct
    {
        while (list.Count <= handle)
            list.Add(default);
    }
}
