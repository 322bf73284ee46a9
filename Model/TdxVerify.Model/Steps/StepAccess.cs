using System.Reflection;

namespace TdxVerify.Model;

/// <summary>How a step is carried out one visible access at a time, found from <see cref="VisibleAttribute"/>.</summary>
/// <param name="Make">Makes one access. False: the step failed.</param>
/// <param name="IsVisible">Others can see it, or it can see what others did.</param>
/// <param name="UndoIsVisible">So is what the step takes back when it failed.</param>
internal readonly record struct StepAccess<S>(StepTest<S> Make, bool IsVisible, bool UndoIsVisible)
    where S : struct, IState
{
    public static StepAccess<S> Of(Step<S> step)
    {
        MethodInfo method = ((Delegate?)step.Test ?? step.Action!).Method;
        VisibleAttribute? visible = method.GetCustomAttribute<VisibleAttribute>();
        StepTest<S> make = visible?.Part is { } part
            ? Part(method.DeclaringType!.GetMethod(part, BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)!)
            : step.Test ?? Succeed(step.Action!);
        bool undo = step.Undo?.Method.GetCustomAttribute<VisibleAttribute>() is not null;
        return new StepAccess<S>(make, visible is not null || step.Kind is StepKind.Lock or StepKind.Release || step.Releases is not null, undo);
    }

    private static StepTest<S> Part(MethodInfo method) => method.ReturnType == typeof(bool)
        ? method.CreateDelegate<StepTest<S>>()
        : Succeed(method.CreateDelegate<StepAction<S>>());

    private static StepTest<S> Succeed(StepAction<S> action) => (ref S s, ref Call c, int argument) =>
    {
        action(ref s, ref c, argument);
        return true;
    };
}
