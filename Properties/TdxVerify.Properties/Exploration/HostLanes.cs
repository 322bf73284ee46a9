using TdxVerify.Host;
using TdxVerify.Model;
using TdxVerify.Properties.Exploration.Reports;
using TdxVerify.Properties.Lanes;
using Thread = TdxVerify.Host.Thread;

namespace TdxVerify.Properties.Exploration;

/// <summary>
/// Draws a run of host threads and guests as lanes. What an agent does of one call without another agent coming in
/// between is one event, for TDH.VP.ENTER with all that its guest does; of a call that is interrupted, the event says how
/// far it came and which locks it holds there.
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
            while (last + 1 < to && steps[last + 1].Agent == steps[first].Agent && steps[last].After.Agent.Phase != AgentPhase.Idle)
                last++;
            yield return Event([.. steps.Skip(first).Take(last - first + 1)]);
            first = last + 1;
        }
    }

    private LaneEvent Event(IReadOnlyList<TrailStep<Thread>> steps)
    {
        List<IReadOnlyList<StepLine>> told = [.. steps.Select(Tell)];
        (LaneTone tone, IEnumerable<string> broken) = Judge(steps);
        return machine.CallOf(steps[0].Before) is { Length: > 0 } call
            ? OfCall(steps, told, call, tone, broken)
            : OfAction(steps[0].Agent, told[0], tone, broken);
    }

    private (LaneTone Tone, IEnumerable<string> Broken) Judge(IReadOnlyList<TrailStep<Thread>> steps)
    {
        SystemEvent[] happened = [.. machine.Events.Where((_, e) => steps.Any(step => (step.Step.Events >> e & 1) != 0))];
        string[] broken = [.. happened.Where(each => each.Kind == EventKind.Violation).Select(each => $"broken: {each.Name}")];
        LaneTone tone = LaneTone.Plain;
        if (broken.Length > 0)
            tone = LaneTone.Bad;
        else if (steps.Any(step => (step.Step.Traits & StepTraits.Refused) != 0))
            tone = LaneTone.Refused;
        else if (happened.Any(each => each.Kind == EventKind.Progress))
            tone = LaneTone.Good;
        return (tone, broken);
    }

    private static LaneEvent OfAction(int agent, IReadOnlyList<StepLine> lines, LaneTone tone, IEnumerable<string> broken)
    {
        if (lines.Count == 0)
            return new LaneEvent(agent, "", Joined(broken), tone);
        IEnumerable<string> details = ((string[])[lines[0].Found, lines[0].Answer ?? ""]).Distinct().Concat(lines.Skip(1).Select(line => line.ToString()));
        return new LaneEvent(agent, lines[0].Text, Joined(details.Concat(broken)), tone);
    }

    private LaneEvent OfCall(
        IReadOnlyList<TrailStep<Thread>> steps, List<IReadOnlyList<StepLine>> told, string call, LaneTone tone, IEnumerable<string> broken)
    {
        bool begins = steps[0].Before.Agent.Phase == AgentPhase.Idle;
        StepLine? end = told[^1].FirstOrDefault(line => line.Action is SeamcallAction && line.Answer is not null);
        StepRefusal? refused = told.SelectMany(lines => lines).Select(line => line.Refusal).LastOrDefault(refusal => refusal is not null);
        string text = (end, HostMachine.RefusalOf(steps[^1].After)) switch
        {
            ({ } ended, _) => $"{call}{(begins ? "" : " ends")} = {Known(ended.Answer!, refused)}",
            (null, { Length: > 0 } refusal) => $"{call} refused: {Known(refusal, refused)}",
            _ => $"{call} {(begins ? "begins" : "goes on")}",
        };
        var details = new List<string>();
        if (Guest(steps, told) is { Length: > 0 } guest)
            details.Add(guest);
        details.AddRange(Refusals(steps, told));
        if (end is null && HostMachine.RefusalOf(steps[^1].After).Length == 0)
            details.AddRange(HowFar(steps[^1].After));
        details.AddRange(told[^1].SkipWhile(line => line != end).Skip(1).Select(line => line.ToString()));
        return new LaneEvent(steps[0].Agent, text, Joined(details.Concat(broken)), tone);
    }

    // Where the machine has forgotten which error it was, the step that decided still knows.
    private static string Known(string answer, StepRefusal? refused) => refused is not null && answer == HostMachine.ForgottenError ? refused.Status : answer;

    // The guest's instructions, each with what came of it.
    private string Guest(IReadOnlyList<TrailStep<Thread>> steps, List<IReadOnlyList<StepLine>> told)
    {
        var done = new List<string>();
        string open = "";
        for (int i = 0; i < steps.Count; i++)
        {
            if (machine.InstructionOf(steps[i].Before) is not { } instruction)
                continue;
            string found = told[i].Count > 0 ? told[i][0].Found : "";
            open = found.Length > 0 ? "" : instruction.Op.ToString();
            if (found.Length > 0)
                done.Add($"{instruction.Op}: {found}");
        }

        if (open.Length > 0)
            done.Add(open);

        if (done.Count > 0)
            return $"guest: {string.Join(", ", done)}";
        return steps.Any(step => step.Before.Guest == 0 && step.After.Guest != 0) ? "the guest runs" : "";
    }

    // Which step of the module refused a call.
    private IEnumerable<string> Refusals(IReadOnlyList<TrailStep<Thread>> steps, List<IReadOnlyList<StepLine>> told)
    {
        for (int i = 0; i < steps.Count; i++)
        {
            if (machine.InstructionOf(steps[i].Before) is null && told[i].FirstOrDefault(line => line.Refusal is not null) is { Refusal: { } refusal })
                yield return refusal.Rule;
        }
    }

    private IEnumerable<string> HowFar(Thread thread)
    {
        if (thread.Agent.Phase == AgentPhase.Halted)
        {
            yield return "the module halts";
            yield break;
        }

        if (machine.NextStepOf(thread) is { Length: > 0 } next)
            yield return $"before: {next}";
        if (HeldLocks.Of(thread.Agent.Call) is { Length: > 0 } held)
            yield return $"holds {held}";
    }

    private static string Joined(IEnumerable<string> parts) => string.Join("; ", parts.Where(part => part.Length > 0));

    // The step is made once more, by the way that was taken, and tells what it does.
    private IReadOnlyList<StepLine> Tell(TrailStep<Thread> step)
    {
        var choices = new ChoiceReplay();
        for (int choice = 0; ; choice++)
        {
            Thread local = step.Before;
            var told = new List<StepLine>();
            machine.Step(step.Agent, ref local, new OverlaidCells(step.Cells), choices, told);
            if (choice == step.Choice || !choices.Advance())
                return told;
        }
    }
}
