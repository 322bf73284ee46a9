using System.Reflection;
using System.Reflection.Emit;

namespace TdxVerify.Model;

/// <summary>Clears what an agent's call no longer needs, so that agents that will behave alike are equal.</summary>
/// <typeparam name="S">The layout of the state.</typeparam>
public sealed class CallTrimmer<S>
    where S : struct, IState
{
    private static readonly FieldInfo[] s_fields = typeof(Call).GetFields();

    // What the machine itself looks at between two steps of a list, and at its end.
    private static readonly string[] s_control =
    [
        nameof(Call.Held), nameof(Call.Lp), nameof(Call.Status), nameof(Call.FailedStep), nameof(Call.Detail), nameof(Call.End), nameof(Call.OutOfScope),
        nameof(Call.Progress), nameof(Call.SplitsLocks), nameof(Call.FollowUp), nameof(Call.Aftermath),
    ];

    private readonly FieldUses _uses = new();
    private readonly LeafSet<S> _leaves;
    private readonly Clear?[][] _clear;

    /// <summary>For calls of these leaves.</summary>
    public CallTrimmer(LeafSet<S> leaves)
    {
        _leaves = leaves;
        _clear = [.. leaves.All.Select(list => new Clear?[2 * (list.Steps.Length + 1)])];
    }

    private delegate void Clear(ref Call c);

    /// <summary>Clears the dead fields. The agent is between two visible steps.</summary>
    public void Trim(ref Agent a)
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
        int place = (2 * a.Step) + (a.Call.Detail == FailureDetail.None ? 0 : 1);
        (_clear[a.List][place] ??= Compile(Live(a)))(ref a.Call);
    }

    private HashSet<FieldInfo> Live(in Agent a)
    {
        var live = new HashSet<FieldInfo>(s_control.Select(name => typeof(Call).GetField(name)!));
        Leaf<S> list = _leaves.All[a.List];
        bool answers = a.Call.Detail != FailureDetail.None;
        for (int i = a.Step; i < list.Steps.Length; i++)
        {
            Step<S> step = list.Steps[i];
            answers |= step.Failure.Detail != FailureDetail.None;
            Add(live, step.Test);
            Add(live, step.Action);
            Add(live, step.Undo);
            if (((Delegate?)step.Test ?? step.Action!).Method is var method && method.GetCustomAttribute<VisibleAttribute>()?.Part is { } part)
                live.UnionWith(_uses.Of(method.DeclaringType!.GetMethod(part, BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)!));
        }

        Keep(live, nameof(Call.In), nameof(Call.Out), nameof(Call.Vcpu), nameof(Call.Td));
        if (answers)
            Keep(live, nameof(Call.Value), nameof(Call.Entry), nameof(Call.Level), nameof(Call.Gpa));
        if (list.Id.IsGuest && list != _leaves.TdExit)
            Keep(live, nameof(Call.Gpa), nameof(Call.Access));
        return live;
    }

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
            live.Add(typeof(Call).GetField(field)!);
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
