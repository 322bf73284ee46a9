namespace TdxVerify.Properties.Proposals;

/// <summary>The most that something happens.</summary>
/// <param name="Most">The most that was seen; means little where it spins.</param>
/// <param name="Spins">It happens any number of times while another agent stands still, but not for ever if all get their turns.</param>
/// <param name="IsEndless">It can go on for ever although all get their turns.</param>
/// <param name="IsProven">It was found by complete explorations only; else there may be more.</param>
public readonly record struct Bound(int Most, bool Spins, bool IsEndless, bool IsProven)
{
    /// <summary>Nothing is known.</summary>
    public static Bound Unknown => default;

    /// <summary>It never happens.</summary>
    public static Bound Never => new(0, false, false, true);

    /// <summary>The most of two systems.</summary>
    public Bound With(Bound other) => new(Math.Max(Most, other.Most), Spins || other.Spins, IsEndless || other.IsEndless, IsProven && other.IsProven);

    /// <summary>As tables print it: a number, ~ where it spins, ∞ where it need not end; ≥ before what is not proven.</summary>
    public override string ToString() => IsEndless ? "∞" : (IsProven ? "" : "≥") + (Spins ? "~" : $"{Most}");
}
