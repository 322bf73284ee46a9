namespace TdxVerify.Model;

/// <summary>Told of a step, or of one access of it, that an agent has carried out.</summary>
/// <param name="list">The list of steps.</param>
/// <param name="step">The step, counted from 0.</param>
/// <param name="visible">It was a visible access.</param>
/// <param name="call">The call after it.</param>
public delegate void StepObserver<S>(Leaf<S> list, int step, bool visible, in Call call)
    where S : struct, IState;
