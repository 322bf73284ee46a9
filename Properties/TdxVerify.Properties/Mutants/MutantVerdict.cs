using System.Text.RegularExpressions;
using TdxVerify.Model.Mutants;

namespace TdxVerify.Properties.Mutants;

/// <summary>What became of one mutant.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Leaf">The altered list of steps.</param>
/// <param name="Kind">What is wrong in it.</param>
/// <param name="Reached">Sequences and recordings that got to where it could be told.</param>
/// <param name="Conformance">How different answers told it.</param>
/// <param name="Laws">How the laws alone told it.</param>
public sealed record MutantVerdict(string Id, string Leaf, MutantKind Kind, int Reached, Kill Conformance, Kill Laws)
{
    /// <summary>Why it is equivalent, checked by running; null: it is not known to be.</summary>
    public Shadow? Shadow { get; init; }

    /// <summary>Its id without the leaf, and without the text of the step: what is wrong where.</summary>
    public string Fault => (Id.StartsWith(Leaf, StringComparison.Ordinal) ? Id[Leaf.Length..].TrimStart() : Id).Split(": ")[0];

    /// <summary>The leaves that it is one of, such as TDH.MEM.PAGE.*; what has no leaf's name is a part of all calls.</summary>
    public string Family
    {
        get
        {
            string[] parts = Leaf.Split(' ')[0].Split('.');
            int shared = parts.Length < 3 ? 0 : parts[1] == "MEM" && parts.Length > 3 ? 3 : 2;
            return shared == 0 ? "dispatchers, guest, exits" : $"{string.Join('.', parts[..shared])}.*";
        }
    }

    /// <summary>Nothing told it by its answers, and nothing shows why it could not be told.</summary>
    public bool Survived => !Conformance.IsKilled && Shadow is null;

    /// <summary>For a survivor: why, as far as it is known.</summary>
    public string Hint => Reached == 0
        ? "no sequence gets to where it could be told"
        : $"{Reached} sequences get there, and every answer is the same{(Laws.IsKilled ? "; the laws tell it" : "")}";
}

/// <summary>Why a mutant cannot be told from the model.</summary>
/// <param name="By">The step that decides first, or the reason why its fault shows in no answer.</param>
/// <param name="Occasions">How many runs got to where it could have been told.</param>
public sealed partial record Shadow(string By, int Occasions)
{
    /// <summary>The same without step numbers: what shadows alike in many leaves.</summary>
    public string Rule => StepNumber().Replace(By, "step");

    [GeneratedRegex(@"\bstep \d+")]
    private static partial Regex StepNumber();
}

/// <summary>What a run of mutants found.</summary>
public sealed record MutantsResult
{
    /// <summary>How many mutants there are.</summary>
    public required int Of { get; init; }

    /// <summary>Those that were judged, in the order of their derivation.</summary>
    public required IReadOnlyList<MutantVerdict> Verdicts { get; init; }

    /// <summary>Random sequences run.</summary>
    public required int Sequences { get; init; }

    /// <summary>Sweeps run.</summary>
    public required int Sweeps { get; init; }

    /// <summary>Laws that the declared model itself breaks: the sequences on which it does are left out of the laws' score.</summary>
    public required IReadOnlyList<string> BrokenByModel { get; init; }

    /// <summary>Recorded sequences run.</summary>
    public required int Recordings { get; init; }

    /// <summary>How long it took.</summary>
    public required double Seconds { get; init; }

    /// <summary>Mutants that count: the equivalent ones left out.</summary>
    public int Counted => Verdicts.Count(verdict => verdict.Shadow is null);

    /// <summary>Told by their answers.</summary>
    public int KilledByConformance => Verdicts.Count(verdict => verdict.Conformance.IsKilled);

    /// <summary>Told by a law or a crash, with nothing to compare with.</summary>
    public int KilledByLaws => Verdicts.Count(verdict => verdict.Shadow is null && verdict.Laws.IsKilled);

    /// <summary>Those neither told by their answers nor shown to be equivalent.</summary>
    public IEnumerable<MutantVerdict> Survivors => Verdicts.Where(verdict => verdict.Survived);

    /// <summary>Those shown to be equivalent.</summary>
    public IEnumerable<MutantVerdict> Equivalent => Verdicts.Where(verdict => verdict.Shadow is not null);
}
