using System.Collections.Immutable;
using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Host;

/// <summary>When a processor that runs a guest gets an interrupt that nobody in the configuration sent.</summary>
public enum InterruptMode
{
    /// <summary>Never.</summary>
    Absent,

    /// <summary>Between any two instructions of the guest, but at least one is carried out after each entry.</summary>
    Fair,

    /// <summary>Between any two instructions, and before the first.</summary>
    Storm,
}

/// <summary>A host thread of a configuration, with what its program works on.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Program">What it runs.</param>
public sealed record HostAgent(string Name, HostProgram Program)
{
    /// <summary>For <see cref="Repeat"/>: it begins again and again.</summary>
    public const int Endless = 255;

    internal const byte NoGpa = 255;

    /// <summary>The logical processor that it runs on at the start.</summary>
    public int Lp { get; init; }

    /// <summary>The vCPU that it works on, for a vCPU thread its own; null: none.</summary>
    public int? Vcpu { get; init; }

    /// <summary>The GPAs that it works on, by number; it begins at the first. A vCPU thread needs none: it takes those at which its guest faults.</summary>
    public ImmutableArray<int> Gpas { get; init; } = [];

    /// <summary>For a vCPU thread: <c>vcpu->cpu</c> at the start, where it is not the thread's processor; the vCPU ran there last.</summary>
    public int? StartsOn { get; init; }

    internal int OwnVcpu => Vcpu ?? throw new ProgramException($"{Name}: works on no vCPU; give it one with Vcpu = ...");

    internal byte FirstGpa => Gpas.IsEmpty ? NoGpa : (byte)Gpas[0];

    /// <summary>A vCPU thread, on the processor with the vCPU's number.</summary>
    public static HostAgent OfVcpu(int vcpu, HostProgram program) => new($"vCPU {vcpu}", program) { Vcpu = vcpu, Lp = vcpu };

    /// <summary>How often it runs its program, 1 to 254, or <see cref="Endless"/>.</summary>
    public int Repeat { get; init; } = Endless;
}

/// <summary>Laws that a configuration can leave out.</summary>
[Flags]
public enum HostLaws
{
    /// <summary>None but those that always hold: the module does not halt, locks do not leak, pages handed back are not exposed.</summary>
    Always = 0,

    /// <summary>The host never bugs the VM.</summary>
    NoHostBug = 1,

    /// <summary>Mirror SPTE and S-EPT entry agree while nobody changes them.</summary>
    MirrorAgrees = 2,

    /// <summary>
    /// Every BUSY is justified by a holder or by host priority, no two agents are in conflicting sections, and a lock that
    /// nobody holds is free. It needs a record of who holds what beside the lock words, and so wider states.
    /// </summary>
    Locks = 4,
}

/// <summary>A small system to explore: a TD, host threads, guests.</summary>
/// <param name="Name">Its name.</param>
public sealed record Configuration(string Name)
{
    /// <summary>The module.</summary>
    public ModuleProfile Profile { get; init; } = ModuleProfile.V1_5_05;

    /// <summary>Leaves other than those of the profile: a hypothetical module, a mutant. Null: the profile's.</summary>
    public LeafSet<CellState>? Leaves { get; init; }

    /// <summary>The TD.</summary>
    public TdLayout Td { get; init; } = new();

    /// <summary>The host threads.</summary>
    public required ImmutableArray<HostAgent> Agents { get; init; }

    /// <summary>What each vCPU runs; those left out leave at once (<see cref="GuestCode.Leaves"/>).</summary>
    public ImmutableArray<GuestCode> Guests { get; init; } = [];

    /// <summary>When guests are interrupted.</summary>
    public InterruptMode Interrupts { get; init; }

    /// <summary>
    /// A kick goes to vCPUs in any order, not in that of their numbers: more behaviours, but vCPUs are interchangeable.
    /// </summary>
    public bool KicksInAnyOrder { get; init; }

    /// <summary>Variables of the VM that are not 0 at the start.</summary>
    public ImmutableDictionary<string, ulong> Variables { get; init; } = ImmutableDictionary<string, ulong>.Empty;

    /// <summary>Laws besides those that always hold.</summary>
    public HostLaws Laws { get; init; } = HostLaws.NoHostBug;

    /// <summary>Busy answers that must occur for a verdict to mean something, by the names under which they are noted: <c>TDH.MEM.TRACK: TDX_OPERAND_BUSY(TD_EPOCH)</c>.</summary>
    public ImmutableArray<string> MustOccur { get; init; } = [];

    /// <summary>Each atomic instruction of an attempt at a lock of the module is a step.</summary>
    public bool SplitsLocks { get; init; }

    /// <summary>
    /// Accesses of the module that nobody in the configuration can notice are no steps of their own, but join the one before:
    /// attempts at locks that every call takes shared, their releases, and reads of S-EPT entries that never change.
    /// </summary>
    public bool JoinsUnseenSteps { get; init; }

    /// <summary>
    /// So do accesses that a lock in the hands of the call, or its being the only one to work on the object, keeps from
    /// being noticed. It is for calls that run vCPUs, map 4 KiB pages and zap them.
    /// </summary>
    public bool JoinsGuardedSteps { get; init; }

    /// <summary>
    /// What nobody in the configuration looks at is forgotten: which error a call returns, and why a guest left, as soon as
    /// it is decided, where the program does not look at it; host priority where no TDCALL takes a lock; in which epoch a
    /// vCPU ran last where no page is ever mapped. Lanes can then not name an error where another agent comes in between.
    /// </summary>
    public bool ForgetsUnread { get; init; }

    /// <summary>Epochs are kept as the numbers that they are, so that the space has no end: for comparisons to a depth.</summary>
    public bool AbsoluteEpochs { get; init; }

    /// <summary>Tests only: threads and calls keep what no later step needs.</summary>
    internal bool KeepsAll { get; init; }

    /// <summary>Further calls on the platform before the start.</summary>
    public Action<ModelPort<CellState>, TdPages>? Prepare { get; init; }

    /// <summary>What a vCPU runs.</summary>
    public GuestCode GuestOf(int vcpu) => vcpu < Guests.Length ? Guests[vcpu] : GuestCode.Leaves;
}
