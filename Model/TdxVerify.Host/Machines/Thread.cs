using System.Runtime.CompilerServices;
using TdxVerify.Model;

namespace TdxVerify.Host;

/// <summary>Places of the callers of a program.</summary>
[InlineArray(Depth)]
public struct Callers
{
    /// <summary>How deep programs may call each other.</summary>
    public const int Depth = 6;

    private ushort _first;
}

/// <summary>The counters of a thread.</summary>
[InlineArray(Count)]
public struct Counters
{
    /// <summary>How many a configuration may have.</summary>
    public const int Count = 8;

    private byte _first;
}

/// <summary>
/// The locals of a host thread: where its program is, what it remembers, and the SEAMCALL in flight, if any. What no
/// later step needs is 0.
/// </summary>
public struct Thread
{
    /// <summary>The SEAMCALL in flight.</summary>
    public Agent Agent;

    /// <summary>The status of the last SEAMCALL, or what the program called last returned.</summary>
    public ulong Result;

    /// <summary>The counters.</summary>
    public Counters Counters;

    /// <summary>The states to which callers return.</summary>
    public Callers Callers;

    /// <summary>The state, by its number in the machine; <see cref="HostMachine.Finished"/>: the program is done.</summary>
    public ushort State;

    /// <summary>How far an action of several steps is.</summary>
    public ushort Part;

    /// <summary>While the guest runs: its next instruction, counted from 1; 0: it does not run.</summary>
    public ushort Guest;

    /// <summary>The page read out of a mirror SPTE.</summary>
    public ushort Page;

    /// <summary>How many callers there are.</summary>
    public byte CallerCount;

    /// <summary>The GPA that it works on.</summary>
    public byte Gpa;

    /// <summary>The processor that it runs on.</summary>
    public byte Lp;

    /// <summary>While a function sent to another processor runs there: its own processor plus 1.</summary>
    public byte HomeLp;

    /// <summary>It has a snapshot of mmu_invalidate_seq that it still needs.</summary>
    public byte HasSnapshot;

    /// <summary>How often the program is still run, this time included.</summary>
    public byte Left;

    /// <summary>The guest has carried out an instruction since it was entered.</summary>
    public byte GuestRan;

    /// <summary>While it kicks: the vCPUs that it has come to.</summary>
    public byte KickedVcpus;

    /// <summary>While it kicks: the processors that get an IPI.</summary>
    public byte KickMask;

    /// <summary>While it kicks: the processors to which it was sent.</summary>
    public byte SentMask;
}
