namespace TdxVerify.Model;

/// <summary>
/// Agents that take turns over shared cells: what an explorer goes through. A step of an agent depends on its locals,
/// on the cells it reads and on what is chosen in it, and on nothing else; it changes its locals and the cells it writes.
/// </summary>
/// <typeparam name="TLocal">
/// The locals of an agent, compared byte by byte: fields that no later step reads must hold their default.
/// </typeparam>
public interface ISystem<TLocal>
    where TLocal : unmanaged
{
    /// <summary>The agents, by name.</summary>
    IReadOnlyList<string> Agents { get; }

    /// <summary>What a step can report: the meaning of each bit of <see cref="SystemStep.Events"/>, at most 64.</summary>
    IReadOnlyList<SystemEvent> Events { get; }

    /// <summary>The locals of an agent at the start.</summary>
    TLocal StartOf(int agent);

    /// <summary>The value of a cell at the start.</summary>
    ulong StartOf(Cell cell);

    /// <summary>One step of an agent, carried out as a whole.</summary>
    SystemStep Step(int agent, ref TLocal local, ICells cells, IChooser chooser);

    /// <summary>
    /// Where the value of a cell goes when a state is brought to its normal form, after a step that asked for it. The
    /// cells that move change places; both forms must behave alike.
    /// </summary>
    Cell Normal(Cell cell) => cell;

    /// <summary>What becomes of the value of a cell there.</summary>
    ulong Normal(Cell cell, ulong value) => value;

    /// <summary>What becomes of an agent's locals.</summary>
    void Normalize(ref TLocal local)
    {
    }

    /// <summary>Brings a whole state to its normal form: each part of it by itself.</summary>
    void Normalize(ISystemState<TLocal> state)
    {
        Cell[] cells = [.. state.Cells.Union(state.Cells.Select(Normal))];
        ulong[] values = Array.ConvertAll(cells, cell => Normal(cell, state.Read(cell)));
        for (int i = 0; i < cells.Length; i++)
            state.Write(Normal(cells[i]), values[i]);
        for (int agent = 0; agent < Agents.Count; agent++)
            Normalize(ref state.Local(agent));
    }
}

/// <summary>Settles what the state does not determine.</summary>
public interface IChooser
{
    /// <summary>One of several ways to go on: 0 to <paramref name="count"/> - 1. Each is explored.</summary>
    int Choose(int count);
}

/// <summary>A whole state of a system.</summary>
public interface ISystemState<TLocal> : ICells
    where TLocal : unmanaged
{
    /// <summary>The cells that ever differ from their start.</summary>
    IReadOnlyList<Cell> Cells { get; }

    /// <summary>The locals of an agent.</summary>
    ref TLocal Local(int agent);
}

/// <summary>What kind of thing an event is.</summary>
public enum EventKind
{
    /// <summary>A case that must have occurred for a verdict to mean something.</summary>
    Sometimes,

    /// <summary>An agent got somewhere.</summary>
    Progress,

    /// <summary>A law was broken.</summary>
    Violation,

    /// <summary>Something worth counting, which need not occur.</summary>
    Noted,
}

/// <summary>Something that a step can report.</summary>
/// <param name="Name">As reports print it.</param>
/// <param name="Kind">What it means.</param>
/// <param name="Agent">For progress: the agent; -1: any.</param>
/// <param name="EndsRun">Nothing that follows means anything any more: the VM is dead, or the module.</param>
public sealed record SystemEvent(string Name, EventKind Kind, int Agent = -1, bool EndsRun = false);

/// <summary>How a step ended.</summary>
public enum StepEnd : byte
{
    /// <summary>The agent went on.</summary>
    Moved,

    /// <summary>It has to wait: nothing changed, nothing counts.</summary>
    Blocked,

    /// <summary>It is at the end of its program.</summary>
    Done,
}

/// <summary>What a step is for those who judge whether every agent gets on.</summary>
[Flags]
public enum StepTraits : byte
{
    /// <summary>An ordinary step.</summary>
    None = 0,

    /// <summary>The state has to be brought to its normal form.</summary>
    Normalizes = 4,

    /// <summary>The attempt that the step belongs to was refused in it: a lock that was held, a condition that did not hold.</summary>
    Refused = 8,

    /// <summary>Something that the surroundings do every now and then, such as an interrupt: where it can happen again and again, it does.</summary>
    Recurring = 16,

    /// <summary>The step is the first of an attempt: of a call, an operation of the guest, a compare-and-exchange.</summary>
    Begins = 32,

    /// <summary>The attempt that the step belongs to succeeded in it.</summary>
    Completes = 64,
}

/// <summary>What came of a step.</summary>
/// <param name="End">How it ended; where not <see cref="StepEnd.Moved"/>, it changed nothing.</param>
/// <param name="Events">Bits of <see cref="ISystem{TLocal}.Events"/>.</param>
/// <param name="Traits">What else is to be known about it.</param>
/// <param name="Attempt">The attempt that it belongs to: a number that the agent's attempts of the same kind share.</param>
public readonly record struct SystemStep(StepEnd End, ulong Events = 0, StepTraits Traits = StepTraits.None, int Attempt = 0);
