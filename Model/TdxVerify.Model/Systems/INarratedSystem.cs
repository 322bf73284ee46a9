namespace TdxVerify.Model;

/// <summary>A system whose steps can be told in words, for counterexamples.</summary>
/// <typeparam name="TLocal">The locals of an agent.</typeparam>
public interface INarratedSystem<TLocal> : ISystem<TLocal>
    where TLocal : unmanaged
{
    /// <summary>
    /// The same as <see cref="ISystem{TLocal}.Step(int, ref TLocal, ICells, IChooser)"/>, and tells what was done: the
    /// access, what it found, and local work that joined it, a line each.
    /// </summary>
    SystemStep Step(int agent, ref TLocal local, ICells cells, IChooser chooser, ICollection<string> told);
}
