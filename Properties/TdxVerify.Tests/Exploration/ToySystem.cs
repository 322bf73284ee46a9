using TdxVerify.Model;

namespace TdxVerify.Tests.Exploration;

/// <summary>One step of an agent of a <see cref="ToySystem"/>: locals in and out, and what came of it.</summary>
internal delegate SystemStep ToyStep(ref int local, ICells cells, IChooser chooser);

/// <summary>A system of a few agents with known answers. Event n is progress of agent n.</summary>
internal sealed class ToySystem(params ToyStep[] steps) : ISystem<int>
{
    public const StepTraits Begins = StepTraits.Begins;
    public const StepTraits Refused = StepTraits.Begins | StepTraits.Refused;
    public const StepTraits Completes = StepTraits.Completes;

    public IReadOnlyList<string> Agents { get; } = [.. steps.Select((_, agent) => $"agent {agent}")];

    public IReadOnlyList<SystemEvent> Events { get; } = [.. steps.Select((_, agent) => new SystemEvent($"progress {agent}", EventKind.Progress, agent))];

    public static Cell Lock(int number) => new(ChangeKind.Host, 0, number);

    public static SystemStep Moved(StepTraits traits, int progressOf = -1, int attempt = 0) =>
        new(StepEnd.Moved, progressOf < 0 ? 0 : 1UL << progressOf, traits, attempt);

    /// <summary>Takes a lock, or is refused and tries again.</summary>
    public static SystemStep Try(ref int local, ICells cells, int number, int taken, int refused)
    {
        if (cells.Read(Lock(number)) != 0)
        {
            local = refused;
            return Moved(Refused);
        }

        cells.Write(Lock(number), 1);
        local = taken;
        return Moved(Begins);
    }

    public int StartOf(int agent) => 0;

    public ulong StartOf(Cell cell) => 0;

    public SystemStep Step(int agent, ref int local, ICells cells, IChooser chooser) => steps[agent](ref local, cells, chooser);

    public void Normalize(ISystemState<int> state)
    {
    }
}
