namespace TdxVerify.Host;

/// <summary>How far an action got in one step.</summary>
internal enum ActionEnd
{
    /// <summary>It is complete: <see cref="HostStep.Answer"/> holds its result.</summary>
    Complete,

    /// <summary>It made one access and has more to make.</summary>
    Again,

    /// <summary>It cannot go on now, and changed nothing.</summary>
    Wait,
}

/// <summary>What a thread remembers between two states.</summary>
[Flags]
internal enum Remembered
{
    None = 0,

    /// <summary>The status of the last SEAMCALL, or what the last called program returned.</summary>
    Result = 1,

    /// <summary>The GPA that it works on, where not the one that it is bound to.</summary>
    Gpa = 2,

    /// <summary>The page that it read out of a mirror SPTE.</summary>
    Page = 4,

    /// <summary>That it took a snapshot of mmu_invalidate_seq.</summary>
    Snapshot = 8,

    /// <summary>The first counter; the others follow.</summary>
    FirstCounter = 16,
}

/// <summary>
/// What a host program does in one state. An action makes one visible access in each step, or none at all: then it joins
/// the access before it.
/// </summary>
public abstract record HostAction
{
    /// <summary>The action, as diagrams and lanes print it.</summary>
    public abstract string Text { get; }

    /// <summary>What it answers.</summary>
    public virtual ResultKind Result => ResultKind.Nothing;

    /// <summary>It accesses no shared state.</summary>
    internal virtual bool IsLocal => false;

    /// <summary>It is about the agent's own vCPU.</summary>
    internal virtual bool NeedsVcpu => false;

    /// <summary>What it uses of what the thread remembers.</summary>
    internal virtual Remembered Reads => Remembered.None;

    /// <summary>What it replaces of it.</summary>
    internal virtual Remembered Writes => Remembered.None;

    /// <summary>The counters that it uses.</summary>
    internal virtual IEnumerable<string> CountersRead => [];

    /// <summary>The counter that it sets; null: none.</summary>
    internal virtual string? CounterSet => null;

    /// <summary>One step of it.</summary>
    internal abstract ActionEnd Run(ref HostStep at);

    /// <summary>What the step about to be made does; by default the action as a whole.</summary>
    internal virtual string Describe(HostMachine machine, in Thread thread) => Text;
}
