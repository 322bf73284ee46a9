using TdxVerify.Host;
using TdxVerify.Model;
using TdxVerify.Properties.Exploration.Reports;
using TdxVerify.Properties.Lanes;
using Thread = TdxVerify.Host.Thread;

namespace TdxVerify.Properties.Exploration;

/// <summary>
/// Draws a run of host threads and guests as lanes. What an agent does in one action, without another agent coming in
/// between, is one event; of a call that is interrupted, the event says how far it came.
/// </summary>
internal sealed class HostLanes(HostMachine machine)
{
    /// <summary>Draws a run.</summary>
    /// <param name="property">What it shows.</param>
    /// <param name="steps">The steps.</param>
    /// <param name="loop">Where the loop begins that goes on for ever; -1: there is none.</param>
    public Counterexample Draw(string property, IReadOnlyList<TrailStep<Thread>> steps, int loop = -1)
    {
        int end = loop < 0 ? steps.Count : loop;
        List<LaneItem> items = [.. Events(steps, 0, end)];
        if (loop >= 0)
            items.Add(new LaneRepeat(LaneRepeat.ForEver, [.. Events(steps, loop, steps.Count)]));
        var diagram = new LaneDiagram(property, machine.Agents, items);
        return new Counterexample(property, steps.Count, Switches(steps), diagram.Folded());
    }

    private static int Switches(IReadOnlyList<TrailStep<Thread>> steps)
    {
        int switches = 0;
        for (int i = 1; i < steps.Count; i++)
            switches += steps[i].Agent != steps[i - 1].Agent ? 1 : 0;
        return switches;
    }

    private IEnumerable<LaneItem> Events(IReadOnlyList<TrailStep<Thread>> steps, int from, int to)
    {
        for (int first = from; first < to;)
        {
            int last = first;
            while (last + 1 < to && steps[last + 1].Agent == steps[first].Agent && IsUnderWay(steps[last].After))
                last++;
            yield return Event(steps, first, last);
            first = last + 1;
        }
    }

    // In the middle of a SEAMCALL, or of an operation of the guest.
    private static bool IsUnderWay(in Thread thread) => thread.Agent.Phase is not (AgentPhase.Idle or AgentPhase.InGuest);

    private LaneEvent Event(IReadOnlyList<TrailStep<Thread>> steps, int first, int last)
    {
        var tone = LaneTone.Plain;
        var broken = new List<string>();
        for (int i = first; i <= last; i++)
        {
            foreach (SystemEvent happened in machine.Events.Where((_, e) => (steps[i].Step.Events >> e & 1) != 0))
            {
                tone = happened.Kind switch
                {
                    EventKind.Violation => LaneTone.Bad,
                    EventKind.Progress when tone == LaneTone.Plain => LaneTone.Good,
                    _ => tone,
                };
                if (happened.Kind == EventKind.Violation)
                    broken.Add($"broken: {happened.Name}");
            }

            if (tone != LaneTone.Bad && (steps[i].Step.Traits & StepTraits.Refused) != 0)
                tone = LaneTone.Refused;
        }

        List<string> told = Tell(steps[last]);
        string what = told.Count > 0 ? told[0] : "";
        (string text, string detail) = what.Split(": ", 2) is [var head, var tail] ? (head, tail) : (what, "");
        string note = string.Join("; ", told.Skip(1).Concat(broken).Prepend(detail).Where(part => part.Length > 0));
        return new LaneEvent(steps[first].Agent, text, note, tone);
    }

    // The step is made once more, by the way that was taken, and tells what it does.
    private List<string> Tell(TrailStep<Thread> step)
    {
        var choices = new ChoiceReplay();
        for (int choice = 0; ; choice++)
        {
            Thread local = step.Before;
            var told = new List<string>();
            machine.Step(step.Agent, ref local, new OverlaidCells(step.Cells), choices, told);
            if (choice == step.Choice || !choices.Advance())
                return told;
        }
    }
}
