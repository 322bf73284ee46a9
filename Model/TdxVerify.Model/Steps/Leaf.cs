using System.Collections.Immutable;
using System.Reflection.Emit;

namespace TdxVerify.Model;

/// <summary>
/// A declared leaf: its ordered steps. It can be executed at once, or step by step, and both give the same.
/// </summary>
/// <remarks>
/// Why two forms: a list of delegates costs about 4 ns a step (facts/performance.md), more than most steps do. So
/// after some calls the list is compiled into one method that calls the step methods in order; the JIT inlines them
/// and folds their constant arguments. The list stays for stepwise execution, documents and mutants; a mutant's step
/// may be a closure, and a list with one is never compiled.
/// </remarks>
/// <typeparam name="S">The layout of the state.</typeparam>
public sealed class Leaf<S>
    where S : struct, IState
{
    private const int CallsBeforeCompiling = 200;

    private readonly Step<S>[] _steps;
    private readonly StepAccess<S>[] _accesses;
    private readonly int _firstRelease;
    private readonly bool _canCompile;
    private int _calls;
    private Body? _compiled;

    /// <summary>A leaf of these steps; release steps are last.</summary>
    public Leaf(LeafId id, IEnumerable<Step<S>> steps)
    {
        Id = id;
        _steps = [.. steps];
        _firstRelease = Array.FindIndex(_steps, step => step.Kind == StepKind.Release);
        if (_firstRelease < 0)
            _firstRelease = _steps.Length;
        _accesses = Array.ConvertAll(_steps, StepAccess<S>.Of);
        _canCompile = Array.TrueForAll(_steps, IsStatic);
        Steps = [.. _steps];
    }

    private delegate void Body(ref S s, ref Call c);

    /// <summary>What it is.</summary>
    public LeafId Id { get; }

    /// <summary>Its place in <see cref="LeafSet{S}.All"/>.</summary>
    public int Index { get; internal set; }

    /// <summary>The steps, in order.</summary>
    public ImmutableArray<Step<S>> Steps { get; }

    /// <summary>The place of the first release step, where a failed call goes on.</summary>
    internal int FirstRelease => _firstRelease;

    /// <summary>The same leaf with other steps.</summary>
    public Leaf<S> With(IEnumerable<Step<S>> steps) => new(Id, steps) { Index = Index };

    /// <summary>Executes the call from its first step to its end.</summary>
    public void Execute(ref S s, ref Call c)
    {
        if (_compiled is { } compiled)
        {
            compiled(ref s, ref c);
            return;
        }

        Interpret(ref s, ref c);
        if (_canCompile && Interlocked.Increment(ref _calls) == CallsBeforeCompiling)
            Compile();
    }

    /// <summary>Executes the call by going through the list of steps.</summary>
    public void Interpret(ref S s, ref Call c)
    {
        for (int i = 0; i < _steps.Length; i = Next(ref s, ref c, i))
        {
        }
    }

    /// <summary>Executes step <paramref name="index"/> and returns the index of the one that follows; the number of steps: the call has ended.</summary>
    public int Next(ref S s, ref Call c, int index)
    {
        Step<S> step = _steps[index];
        if (step.Test is { } test)
        {
            if (test(ref s, ref c, step.Argument))
                return index + 1;
            step.Undo?.Invoke(ref s, ref c, step.Argument);
            Fail(ref c, step, index);
            return _firstRelease;
        }

        step.Action!(ref s, ref c, step.Argument);
        return index + 1;
    }

    /// <summary>
    /// Makes one access of step <paramref name="index"/>, or executes it where it is not visible. Returns the index of
    /// the step that follows, the same one where it has further accesses or an aftermath.
    /// </summary>
    public int NextAccess(ref S s, ref Call c, int index)
    {
        Step<S> step = _steps[index];
        switch (c.Aftermath)
        {
            case Aftermath.Undo:
                step.Undo!(ref s, ref c, step.Argument);
                return AfterUndo(ref c, step);
            case Aftermath.Drop:
                step.Action!(ref s, ref c, step.Argument);
                c.Aftermath = Aftermath.None;
                return _firstRelease;
            default:
                break;
        }

        c.Again = false;
        StepAccess<S> access = _accesses[index];
        bool holds = access.Make(ref s, ref c, step.Argument);
        if (c.Again)
        {
            c.Progress++;
            return index;
        }

        c.Progress = 0;
        if (holds)
            return index + 1;
        Fail(ref c, step, index);
        if (step.Undo is null)
            return AfterUndo(ref c, step);
        if (access.UndoIsVisible)
        {
            c.Aftermath = Aftermath.Undo;
            return index;
        }

        step.Undo(ref s, ref c, step.Argument);
        return AfterUndo(ref c, step);
    }

    /// <summary>What <see cref="NextAccess"/> does next can be seen by other calls, or sees what they did.</summary>
    public bool IsVisible(ref Call c, int index)
    {
        if (c.Aftermath != Aftermath.None)
            return true;
        return _steps[index].Kind == StepKind.Release ? c.Holds(_steps[index].Lock!.Value.Id) : _accesses[index].IsVisible;
    }

    /// <summary>Compiles the list now; later calls use the compiled form.</summary>
    public void Compile()
    {
        // The delegate is closed over a first argument that nothing uses: an open one shifts its arguments at each call.
        var method = new DynamicMethod(
            Id.Name, null, [typeof(object), typeof(S).MakeByRefType(), typeof(Call).MakeByRefType()], typeof(Leaf<S>).Module, true);
        method.InitLocals = false;
        ILGenerator il = method.GetILGenerator();
        Label release = il.DefineLabel();
        var failures = new List<(Label Label, int Step)>();
        for (int i = 0; i < _steps.Length; i++)
        {
            if (i == _firstRelease)
                il.MarkLabel(release);
            Step<S> step = _steps[i];
            EmitCall(il, ((Delegate?)step.Test ?? step.Action!).Method, step.Argument);
            if (step.Test is null)
                continue;
            Label failed = il.DefineLabel();
            failures.Add((failed, i));
            il.Emit(OpCodes.Brfalse, failed);
        }

        if (_firstRelease == _steps.Length)
            il.MarkLabel(release);
        il.Emit(OpCodes.Ret);
        foreach ((Label label, int index) in failures)
        {
            Step<S> step = _steps[index];
            il.MarkLabel(label);
            if (step.Undo is { } undo)
                EmitCall(il, undo.Method, step.Argument);
            EmitStore(il, nameof(Call.FailedStep), OpCodes.Ldc_I4, index + 1);
            il.Emit(OpCodes.Ldarg_2);
            il.Emit(OpCodes.Ldc_I8, (long)step.Failure.Status);
            il.Emit(OpCodes.Stfld, typeof(Call).GetField(nameof(Call.Status))!);
            EmitStore(il, nameof(Call.Detail), OpCodes.Ldc_I4, (int)step.Failure.Detail);
            EmitStore(il, nameof(Call.End), OpCodes.Ldc_I4, (int)step.Failure.End);
            il.Emit(OpCodes.Br, release);
        }

        _compiled = method.CreateDelegate<Body>(this);
    }

    private static void Fail(ref Call c, Step<S> step, int index)
    {
        c.FailedStep = index + 1;
        c.Status = step.Failure.Status;
        c.Detail = step.Failure.Detail;
        c.End = step.Failure.End;
    }

    private int AfterUndo(ref Call c, Step<S> step)
    {
        c.Aftermath = Aftermath.None;
        if (step.Failure.Drop is not { } dropped || !c.Holds(dropped))
            return _firstRelease;
        int release = Array.FindIndex(_steps, _firstRelease, each => each.Lock!.Value.Id == dropped);
        // A mutant may lack the release: then the lock is kept.
        if (release < 0)
            return _firstRelease;
        c.Aftermath = Aftermath.Drop;
        return release;
    }

    private static bool IsStatic(Step<S> step) =>
        ((Delegate?)step.Test ?? step.Action!).Method.IsStatic && step.Undo is not { Method.IsStatic: false };

    private static void EmitCall(ILGenerator il, System.Reflection.MethodInfo method, int argument)
    {
        il.Emit(OpCodes.Ldarg_1);
        il.Emit(OpCodes.Ldarg_2);
        il.Emit(OpCodes.Ldc_I4, argument);
        il.Emit(OpCodes.Call, method);
    }

    private static void EmitStore(ILGenerator il, string field, OpCode load, int value)
    {
        il.Emit(OpCodes.Ldarg_2);
        il.Emit(load, value);
        il.Emit(OpCodes.Stfld, typeof(Call).GetField(field)!);
    }
}
