using TdxVerify.Host;

namespace TdxVerify.Properties.LockMaps;

/// <summary>A state of a program, and of those that called it.</summary>
/// <param name="Program">The program.</param>
/// <param name="State">The number of the state.</param>
/// <param name="Caller">The state that called it; null: nobody did.</param>
internal sealed record Frame(HostProgram Program, int State, Frame? Caller)
{
    /// <summary>The state with a name.</summary>
    public Frame At(string state) => this with { State = Program.States.IndexOf(Program.States.First(each => each.Name == state)) };
}

/// <summary>What the last SEAMCALL or the program called last returned, as far as it is known.</summary>
/// <param name="Code">The code; null: a status.</param>
/// <param name="Status">The status; null: it may be any.</param>
internal readonly record struct LastResult(string? Code, ulong? Status);

/// <summary>Where a thread is, and what is known about it there.</summary>
/// <param name="Frame">The state of its program.</param>
/// <param name="Held">What it holds.</param>
/// <param name="IsRunnable">The TD is finalized.</param>
internal sealed record Place(Frame Frame, HeldLocks Held, bool IsRunnable)
{
    /// <summary>The state.</summary>
    public ProgramState State => Frame.Program.States[Frame.State];

    /// <summary>What <c>return status</c> would return.</summary>
    public LastResult Last { get; init; }

    /// <summary>The vCPU has said IN_GUEST_MODE.</summary>
    public bool IsInGuestMode { get; init; }

    /// <summary>A flag that the thread has set, and not cleared since; null: none.</summary>
    public string? Flag { get; init; }
}
