using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.InteropServices;

namespace TdxVerify.Model;

/// <summary>Clears what an agent's call no longer needs, so that agents that will behave alike are equal.</summary>
/// <typeparam name="S">The layout of the state.</typeparam>
public sealed class CallTrimmer<S>
    where S : struct, IState
{
    private static readonly FieldInfo[] s_fields = typeof(Call).GetFields();

    // What the machine itself looks at between two steps of a list, and at its end.
    private static readonly FieldInfo[] s_control = Array.ConvertAll(
    [
        nameof(Call.In), nameof(Call.Out), nameof(Call.Vcpu), nameof(Call.Td),
        nameof(Call.Held), nameof(Call.Lp), nameof(Call.Status), nameof(Call.FailedStep), nameof(Call.Detail), nameof(Call.End), nameof(Call.OutOfScope),
        nameof(Call.Progress), nameof(Call.SplitsLocks), nameof(Call.FollowUp), nameof(Call.Aftermath),
    ],
        Field);

    private readonly FieldUses _uses = new();
    private readonly LeafSet<S> _leaves;
    private readonly Dictionary<Place, Clear?> _clear = [];

    /// <summary>For calls of these leaves.</summary>
    public CallTrimmer(LeafSet<S> leaves) => _leaves = leaves;

    private delegate void Clear(ref Call c);

    /// <summary>Clears the dead fields. The agent is between two visible steps.</summary>
    /// <param name="a">The agent.</param>
    /// <param name="answerIsRead">Somebody looks at the output registers of a host call that was refused.</param>
    public void Trim(ref Agent a, bool answerIsRead = true)
    {
        switch (a.Phase)
        {
            case AgentPhase.Idle or AgentPhase.Ended or AgentPhase.Halted or AgentPhase.NotModelled:
                a = new Agent { Phase = a.Phase, Answer = a.Answer };
                return;
            case AgentPhase.InGuest:
                a = new Agent { Phase = a.Phase, Call = new Call { Lp = a.Call.Lp, Vcpu = a.Call.Vcpu, Td = a.Call.Td, SplitsLocks = a.Call.SplitsLocks } };
                return;
            default:
                break;
        }

        // Nothing but reports looks at which step it was.
        a.Call.FailedStep = Math.Min(a.Call.FailedStep, 1);
        answerIsRead |= a.Phase != AgentPhase.HostLeaf;
        ref Clear? clear = ref CollectionsMarshal.GetValueRefOrAddDefault(_clear, Place.Of(a, answerIsRead), out _);
        (clear ??= Compile(Live(a, answerIsRead)))(ref a.Call);
    }

    private HashSet<FieldInfo> Live(in Agent a, bool answerIsRead)
    {
        Leaf<S> list = _leaves.All[a.List];
        HashSet<FieldInfo> live = a.Call.FailedStep != 0 ? LiveAfterFailure(list, a, answerIsRead) : LiveBefore(list, a.Step, a.Call.Progress > 0 || a.Call.FollowUp != LockFollowUp.None, answerIsRead);
        live.UnionWith(s_control);
        if (list.Id.IsGuest && list != _leaves.TdExit)
            Keep(live, nameof(Call.Gpa), nameof(Call.Access));
        return live;
    }

    // What the call took back or dropped first is the step that it stands at, the releases follow.
    private HashSet<FieldInfo> LiveAfterFailure(Leaf<S> list, in Agent a, bool answerIsRead)
    {
        HashSet<FieldInfo> live = answerIsRead ? Answer(a.Call.Detail) : [];
        if (a.Call.Aftermath == Aftermath.Undo)
            Add(live, list.Steps[a.Step].Undo);
        live.UnionWith(LiveBefore(list, a.Call.Aftermath == Aftermath.None ? a.Step : list.FirstRelease, underWay: false, answerIsRead));
        return live;
    }

    // Backwards: a field lives before a step if the step reads it, or if it lives after the step, which leaves it alone.
    private HashSet<FieldInfo> LiveBefore(Leaf<S> list, int first, bool underWay, bool answerIsRead)
    {
        HashSet<FieldInfo> live = [];
        HashSet<FieldInfo> release = [];
        for (int i = list.Steps.Length - 1; i >= first; i--)
        {
            Step<S> step = list.Steps[i];
            MethodInfo method = ((Delegate?)step.Test ?? step.Action!).Method;
            VisibleAttribute? visible = method.GetCustomAttribute<VisibleAttribute>();
            if (step.Test is not null)
            {
                live.UnionWith(release);
                if (answerIsRead || step.Failure.Detail == FailureDetail.EmulatedEptViolation)
                    live.UnionWith(Answer(step.Failure.Detail));
                Add(live, step.Undo);
            }

            Add(live, step.Test);
            Add(live, step.Action);
            if (visible?.Part is { } part)
                live.UnionWith(_uses.Of(method.DeclaringType!.GetMethod(part, BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)!));
            if (visible is not null && !(underWay && i == first))
                live.ExceptWith(visible.Sets.Select(Field));
            if (i == list.FirstRelease)
                release = [.. live];
        }

        return live;
    }

    // What the answer shows besides the registers that steps have set.
    private HashSet<FieldInfo> Answer(FailureDetail detail) => detail switch
    {
        FailureDetail.SeptEntry => [.. _uses.Of(((StepAction<S>)SeptSteps<S>.ReturnEntry).Method)],
        FailureDetail.LevelInStatus => [Field(nameof(Call.Level))],
        FailureDetail.EmulatedEptViolation => [Field(nameof(Call.Gpa))],
        _ => [],
    };

    private void Add(HashSet<FieldInfo> live, Delegate? code)
    {
        if (code is null)
            return;

        // A closure may call what cannot be seen in its own instructions.
        live.UnionWith(code.Method.IsStatic ? _uses.Of(code.Method) : s_fields);
    }

    private static void Keep(HashSet<FieldInfo> live, params ReadOnlySpan<string> fields)
    {
        foreach (string field in fields)
            live.Add(Field(field));
    }

    private static FieldInfo Field(string name) => typeof(Call).GetField(name)!;

    // All that decides which fields live.
    private readonly record struct Place(int List, int Step, bool UnderWay, bool Failed, FailureDetail Detail, Aftermath Aftermath, bool AnswerIsRead)
    {
        public static Place Of(in Agent a, bool answerIsRead) => new(
            a.List, a.Step, a.Call.Progress > 0 || a.Call.FollowUp != LockFollowUp.None, a.Call.FailedStep != 0, a.Call.Detail, a.Call.Aftermath, answerIsRead);
    }

    private static Clear Compile(HashSet<FieldInfo> live)
    {
        var method = new DynamicMethod("clear dead fields", null, [typeof(object), typeof(Call).MakeByRefType()], typeof(Call).Module, true);
        ILGenerator il = method.GetILGenerator();
        foreach (FieldInfo field in s_fields.Where(field => !live.Contains(field)))
        {
            il.Emit(OpCodes.Ldarg_1);
            il.Emit(OpCodes.Ldflda, field);
            il.Emit(OpCodes.Initobj, field.FieldType);
        }

        il.Emit(OpCodes.Ret);
        return method.CreateDelegate<Clear>(new object());
    }
}
