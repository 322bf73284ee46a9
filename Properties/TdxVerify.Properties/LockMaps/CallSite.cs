using TdxVerify.Host;
using TdxVerify.Host.Kvm;

namespace TdxVerify.Properties.LockMaps;

/// <summary>When in a VM's life a call can be made.</summary>
[Flags]
public enum TdPhases
{
    /// <summary>Never.</summary>
    None = 0,

    /// <summary>Before TDH.MR.FINALIZE.</summary>
    Building = 1,

    /// <summary>After it.</summary>
    Running = 2,

    /// <summary>The VM is destroyed: nobody but its destroyer and the processors that go offline is left.</summary>
    TornDown = 4,
}

/// <summary>A SEAMCALL of one of a host's paths.</summary>
public sealed record CallSite
{
    internal CallSite(HostPath path, string pathName, Place place)
    {
        Path = path;
        PathName = pathName;
        Place = place;
    }

    /// <summary>The path.</summary>
    public HostPath Path { get; }

    /// <summary>The kernel function that the path is.</summary>
    public string PathName { get; }

    /// <summary>The SEAMCALL.</summary>
    public CallKind Kind => CallKind.Of((SeamcallAction)Place.State.Action);

    /// <summary>What is held.</summary>
    public HeldLocks Held => Place.Held;

    /// <summary>The name of the state.</summary>
    public string State => Place.State.Name;

    /// <summary>The kernel function: that of the state, or its program.</summary>
    public string Function => Place.State.From.Length > 0 ? Place.State.From : Place.Frame.Program.Name;

    /// <summary>When it can be made.</summary>
    public TdPhases Phases => Path switch
    {
        HostPath.DestroyVm => TdPhases.TornDown,
        HostPath.OfflineProcessor => Phase | TdPhases.TornDown,
        // Only a TD that is finalized has 2 MiB pages (facts/kvm.md, 9).
        HostPath.SplitHugePage => Phase & TdPhases.Running,
        _ => Phase,
    };

    internal Place Place { get; }

    private TdPhases Phase => Place.IsRunnable ? TdPhases.Running : TdPhases.Building;

    /// <summary>All of a path.</summary>
    internal static IEnumerable<CallSite> Of(HostPath path, HostProgram program, HostFacts facts) =>
        ProgramWalk.Places(program, facts).Where(place => place.State.Action is SeamcallAction).Select(place => new CallSite(path, program.Name, place));
}
