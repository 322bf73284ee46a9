namespace TdxVerify.Model.Mutants;

/// <summary>What is wrong in a mutant.</summary>
public enum MutantKind
{
    /// <summary>A check or choice point whose outcome is ignored. Its test still runs, since it may set locals.</summary>
    CheckDropped,

    /// <summary>Two tests that follow each other, in the other order: another error wins.</summary>
    StepsSwapped,

    /// <summary>A lock that is not taken, and so not released.</summary>
    LockDropped,

    /// <summary>A lock that is taken in a weaker or another mode.</summary>
    LockWeakened,

    /// <summary>A lock that stays.</summary>
    ReleaseDropped,

    /// <summary>An effect that does not happen.</summary>
    EffectDropped,

    /// <summary>A failure that does not take back what it should.</summary>
    UndoDropped,

    /// <summary>A failure with another status.</summary>
    StatusAltered,

    /// <summary>A failure with another operand id.</summary>
    OperandAltered,

    /// <summary>A failure that returns other registers, or that ends the call in another way.</summary>
    FailureAltered,

    /// <summary>An output register with a wrong value.</summary>
    OutputAltered,

    /// <summary>Success with another status.</summary>
    SuccessAltered,

    /// <summary>A threshold that is one off.</summary>
    ThresholdShifted,

    /// <summary>A set of allowed states or levels with a member more or less.</summary>
    SetAltered,
}

/// <summary>Which calls can tell a mutant from the model.</summary>
public enum MutantReach
{
    /// <summary>Only those that the altered step decides against.</summary>
    Fails,

    /// <summary>Only those that the altered step or the next one decides against.</summary>
    FailsHereOrNext,

    /// <summary>Those that get as far as the altered step.</summary>
    Reaches,

    /// <summary>Any call of the leaf: a step that every call goes through.</summary>
    Calls,
}

/// <summary>Names of kinds, as reports print them.</summary>
public static class MutantKinds
{
    /// <summary>The name of a kind.</summary>
    public static string Name(this MutantKind kind) => kind switch
    {
        MutantKind.CheckDropped => "check dropped",
        MutantKind.StepsSwapped => "neighbours swapped",
        MutantKind.LockDropped => "lock dropped",
        MutantKind.LockWeakened => "lock weakened",
        MutantKind.ReleaseDropped => "release dropped",
        MutantKind.EffectDropped => "effect dropped",
        MutantKind.UndoDropped => "undo dropped",
        MutantKind.StatusAltered => "status altered",
        MutantKind.OperandAltered => "operand id altered",
        MutantKind.FailureAltered => "failure altered",
        MutantKind.OutputAltered => "output altered",
        MutantKind.SuccessAltered => "success altered",
        MutantKind.ThresholdShifted => "threshold shifted",
        _ => "allowed set altered",
    };
}
