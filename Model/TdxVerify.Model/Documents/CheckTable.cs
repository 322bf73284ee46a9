using System.Text;
using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>The steps of every leaf, as declared.</summary>
public static class CheckTable
{
    /// <summary>The document.</summary>
    public static string Write()
    {
        LeafSet<ArraysState> first = LeafSet<ArraysState>.Of(ModuleProfile.V1_5_01);
        LeafSet<ArraysState> later = LeafSet<ArraysState>.Of(ModuleProfile.V1_5_05);
        var text = new StringBuilder(
            """
            # Steps of every leaf

            Module 1.5.01; what 1.5.05 changes is at the end. Steps are carried out in this order, and the first that fails
            decides the status: the call then goes on at its first release step, which drops the locks it holds. A *choice* is
            decided by the hardware. *Registers* says which output registers are set when the step fails; where it is empty,
            all registers but RAX are as at the call.

            The dispatcher's steps come before those of every leaf of their side.

            """);
        foreach (Leaf<ArraysState> leaf in first.All)
        {
            Heading(text, leaf);
            Markdown.Header(text, "step", "kind", "rule", "if not", "status", "registers");
            for (int i = 0; i < leaf.Steps.Length; i++)
                WriteStep(text, $"{i + 1}", leaf, i);
        }

        text.Append("\n# Module 1.5.05\n\nOnly what differs: *+* a step that 1.5.01 does not have, *-* one that is gone.\n");
        foreach (Leaf<ArraysState> leaf in later.All)
            WriteDifferences(text, first.All.FirstOrDefault(other => other.Id == leaf.Id), leaf);
        return text.ToString();
    }

    private static void Heading(StringBuilder text, Leaf<ArraysState> leaf)
    {
        string kind = leaf.Id.Number < 0 ? "" : leaf.Id.IsGuest ? $" (TDCALL leaf {leaf.Id.Number})" : $" (SEAMCALL leaf {leaf.Id.Number})";
        text.Append($"\n## {leaf.Id.Name}{kind}\n\n");
    }

    private static void WriteStep(StringBuilder text, string number, Leaf<ArraysState> leaf, int index)
    {
        Step<ArraysState> step = leaf.Steps[index];
        (string outcome, string status) = Outcome(step);
        bool fails = step.Test is not null && step.Failure.End is CallEnd.Returned or CallEnd.EmulatedEptViolation;
        Markdown.Row(text, number, step.Kind.Name(), step.Text, outcome, status, fails ? StepText.RegistersAt(leaf, index) : "");
    }

    private static (string Outcome, string Status) Outcome(Step<ArraysState> step)
    {
        if (step.Test is null)
            return ("", "");
        if (step.Failure.End is not (CallEnd.Returned or CallEnd.EmulatedEptViolation))
            return (step.Failure.End.Name(), "");
        (string name, string value) = StepText.StatusOf(step.Failure);
        return (name, Markdown.Code(value));
    }

    private static void WriteDifferences(StringBuilder text, Leaf<ArraysState>? before, Leaf<ArraysState> leaf)
    {
        if (before is null)
        {
            Heading(text, leaf);
            Markdown.Header(text, "step", "kind", "rule", "if not", "status", "registers");
            for (int i = 0; i < leaf.Steps.Length; i++)
                WriteStep(text, $"{i + 1}", leaf, i);
            return;
        }

        IReadOnlyList<(int First, int Second)> steps = StepAlignment.Of(before, leaf);
        if (steps.All(pair => pair is { First: >= 0, Second: >= 0 }))
            return;
        Heading(text, leaf);
        Markdown.Header(text, "step", "kind", "rule", "if not", "status", "registers");
        foreach ((int first, int second) in steps)
        {
            if (second < 0)
                WriteStep(text, $"- {first + 1}", before, first);
            else if (first < 0)
                WriteStep(text, $"+ {second + 1}", leaf, second);
        }
    }
}
