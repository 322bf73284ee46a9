using TdxVerify.Model;

namespace TdxVerify.Host;

/// <summary>Reads the mirror SPTE of the GPA. A page in it becomes the page that the thread works on.</summary>
/// <param name="Level">Its level, 0 to 3.</param>
public sealed record ReadSpteAction(int Level) : HostAction
{
    /// <inheritdoc/>
    public override string Text => $"read mirror SPTE{HostCells.LevelText(Level)}";

    /// <inheritdoc/>
    public override ResultKind Result => ResultKind.Spte;

    internal override Remembered Reads => Remembered.Gpa;

    internal override Remembered Writes => Remembered.Page;

    internal override ActionEnd Run(ref HostStep at)
    {
        ulong spte = at.Cells.Read(at.SpteCell(Level));
        at.Thread.Page = spte >= MirrorSpte.FirstPresent ? (ushort)(spte - MirrorSpte.FirstPresent) : (ushort)0;
        at.Answer = Answer.Of(spte);
        return ActionEnd.Complete;
    }
}

/// <summary>
/// cmpxchg of the mirror SPTE of the GPA. What is expected is frozen, none, or present with the page that was read last;
/// the answer is whether it was found.
/// </summary>
/// <param name="Level">Its level.</param>
/// <param name="Old">What is expected.</param>
/// <param name="New">What is written.</param>
public sealed record CompareSpteAction(int Level, SpteKind Old, SpteKind New) : HostAction
{
    /// <inheritdoc/>
    public override string Text => $"cmpxchg mirror SPTE{HostCells.LevelText(Level)} {HostCells.Name(Old)} -> {HostCells.Name(New)}";

    /// <inheritdoc/>
    public override ResultKind Result => ResultKind.YesNo;

    internal override Remembered Reads => Old == SpteKind.Present ? Remembered.Gpa | Remembered.Page : Remembered.Gpa;

    internal override ActionEnd Run(ref HostStep at)
    {
        Cell cell = at.SpteCell(Level);
        bool found = at.Cells.Read(cell) == at.SpteValue(Old, Level, at.Thread.Page);
        if (found)
            at.Cells.Write(cell, at.SpteValue(New, Level, at.Machine.PageFor(at.Thread.Gpa, Level)));
        at.Traits |= StepTraits.Begins | (found ? StepTraits.Completes : StepTraits.Refused);
        at.Answer = Answer.Of(found);
        return ActionEnd.Complete;
    }

    internal override string Describe(HostMachine machine, in Thread thread) => $"{Text}, gpa{thread.Gpa}";
}

/// <summary>Writes the mirror SPTE of the GPA.</summary>
/// <param name="Level">Its level.</param>
/// <param name="New">What is written.</param>
public sealed record WriteSpteAction(int Level, SpteKind New) : HostAction
{
    /// <inheritdoc/>
    public override string Text => $"mirror SPTE{HostCells.LevelText(Level)} = {HostCells.Name(New)}";

    internal override Remembered Reads => Remembered.Gpa;

    internal override ActionEnd Run(ref HostStep at)
    {
        at.Cells.Write(at.SpteCell(Level), at.SpteValue(New, Level, at.Machine.PageFor(at.Thread.Gpa, Level)));
        return ActionEnd.Complete;
    }

    internal override string Describe(HostMachine machine, in Thread thread) => $"{Text}, gpa{thread.Gpa}";
}

/// <summary>What a mirror SPTE is changed from or to.</summary>
public enum SpteKind : byte
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>FROZEN_SPTE.</summary>
    Frozen,

    /// <summary>The page of the GPA, or its table.</summary>
    Present,
}
