using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Properties.Runs;

namespace TdxVerify.Properties.Shrinking;

/// <summary>
/// Makes a failing sequence of events minimal: takes events out, one logical processor instead of several, registers
/// that do not matter set to 0. A candidate counts only if it breaks the same law.
/// </summary>
/// <remarks>
/// Why a second shrinker behind the stream's: the stream's works on choices, so that generation stays meaningful, but
/// an operand that was chosen relative to the state cannot be dropped without its choice. Here operands are fixed.
/// </remarks>
public sealed class EventShrinker(EventRunner runner, TimeSpan budget)
{
    private static readonly Register[] s_registers =
        [Register.Rbx, Register.Rsi, Register.Rdi, Register.Rbp, Register.R9, Register.R10, Register.R11, Register.R12, Register.R13, Register.R14, Register.R15, Register.R8];

    private readonly System.Diagnostics.Stopwatch _time = System.Diagnostics.Stopwatch.StartNew();
    private RunFailure _failure = new("", "", 0, "");

    /// <summary>The smallest sequence found that breaks the same law, with its answers, and how it breaks it.</summary>
    public (IReadOnlyList<PlannedEvent> Events, RunFailure Failure) Shrink(IReadOnlyList<PlannedEvent> events, RunFailure failure)
    {
        _failure = failure;
        List<PlannedEvent> best = [.. events];
        bool smaller = true;
        while (smaller && _time.Elapsed < budget)
            smaller = Cut(ref best) | Simplify(best);
        var answered = new List<PlannedEvent>();
        return PlanRunner.Run(runner, best, answered) is { } last ? (answered, last) : (best, _failure);
    }

    private bool Breaks(List<PlannedEvent> candidate)
    {
        if (PlanRunner.Run(runner, candidate) is not { } failure || !failure.IsLike(_failure))
            return false;
        candidate.RemoveRange(failure.Operation + 1, candidate.Count - failure.Operation - 1);
        _failure = failure;
        return true;
    }

    private bool Cut(ref List<PlannedEvent> best)
    {
        int before = best.Count;
        for (int size = Math.Max(1, best.Count / 2); size >= 1; size /= 2)
        {
            for (int start = best.Count - size; start >= 0 && _time.Elapsed < budget; start -= size)
            {
                List<PlannedEvent> candidate = [.. best.Take(start), .. best.Skip(start + size)];
                if (!Breaks(candidate))
                    continue;
                best = candidate;
                start = Math.Min(start, best.Count);
            }
        }

        return best.Count < before;
    }

    private bool Simplify(List<PlannedEvent> best)
    {
        bool changed = false;
        for (int i = 0; i < best.Count && _time.Elapsed < budget; i++)
        {
            if (best[i].Event.Kind is not (TraceEventKind.Seamcall or TraceEventKind.Enter))
                continue;
            changed |= TryReplace(best, i, static (ref TraceEvent e) => e.Lp = 0);
            foreach (Register register in s_registers)
            {
                if (best[i].Event.Input[register] != 0)
                    changed |= TryReplace(best, i, (ref TraceEvent e) => e.Input[register] = 0);
            }
        }

        return changed;
    }

    private delegate void Edit(ref TraceEvent e);

    private bool TryReplace(List<PlannedEvent> best, int position, Edit edit)
    {
        if (position >= best.Count)
            return false;
        PlannedEvent old = best[position];
        TraceEvent e = old.Event;
        edit(ref e);
        if (e.Lp == old.Event.Lp && e.Input == old.Event.Input)
            return false;
        List<PlannedEvent> candidate = [.. best];
        candidate[position] = old with { Event = e };
        if (!Breaks(candidate))
            return false;
        best.Clear();
        best.AddRange(candidate);
        return true;
    }
}
