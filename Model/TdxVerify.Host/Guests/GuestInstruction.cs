using System.Collections.Immutable;
using TdxVerify.Abi;

namespace TdxVerify.Host;

/// <summary>What an instruction of a guest does.</summary>
public enum GuestInstructionKind : byte
{
    /// <summary>It touches memory.</summary>
    Access,

    /// <summary>A TDCALL that returns to the guest.</summary>
    Tdcall,

    /// <summary>TDG.VP.VMCALL: it leaves to the host.</summary>
    Vmcall,

    /// <summary>It runs on without touching anything.</summary>
    Spin,
}

/// <summary>What an instruction of a guest does, with its operands.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Gpa">The GPA, by its number in the configuration.</param>
/// <param name="Level">The level, for a TDCALL.</param>
/// <param name="How">For an access: how memory is touched.</param>
/// <param name="Leaf">For a TDCALL: the leaf.</param>
public sealed record GuestOp(GuestInstructionKind Kind, int Gpa = 0, int Level = 0, GuestAccess How = GuestAccess.None, GuestLeaf Leaf = default)
{
    /// <summary>Runs on for ever, or until an interrupt.</summary>
    public static GuestOp Spin { get; } = new(GuestInstructionKind.Spin);

    /// <summary>TDG.VP.VMCALL.</summary>
    public static GuestOp Vmcall { get; } = new(GuestInstructionKind.Vmcall);

    /// <summary>Reads memory.</summary>
    public static GuestOp Read(int gpa) => new(GuestInstructionKind.Access, gpa, How: GuestAccess.Read);

    /// <summary>Writes memory.</summary>
    public static GuestOp Write(int gpa) => new(GuestInstructionKind.Access, gpa, How: GuestAccess.Write);

    /// <summary>Executes from memory.</summary>
    public static GuestOp Execute(int gpa) => new(GuestInstructionKind.Access, gpa, How: GuestAccess.Execute);

    /// <summary>TDG.MEM.PAGE.ACCEPT.</summary>
    public static GuestOp Accept(int gpa, int level = SeptLevel.Page4K) => new(GuestInstructionKind.Tdcall, gpa, level, Leaf: GuestLeaf.TDG_MEM_PAGE_ACCEPT);

    /// <summary>TDG.MEM.PAGE.ATTR.RD.</summary>
    public static GuestOp AttrRd(int gpa) => new(GuestInstructionKind.Tdcall, gpa, Leaf: GuestLeaf.TDG_MEM_PAGE_ATTR_RD);

    /// <summary>TDG.MEM.PAGE.ATTR.WR, with all attributes 0.</summary>
    public static GuestOp AttrWr(int gpa, int level = SeptLevel.Page4K) => new(GuestInstructionKind.Tdcall, gpa, level, Leaf: GuestLeaf.TDG_MEM_PAGE_ATTR_WR);

    /// <summary>What it answers.</summary>
    public ResultKind Result => Kind switch
    {
        GuestInstructionKind.Access => ResultKind.Access,
        GuestInstructionKind.Tdcall => ResultKind.Status,
        _ => ResultKind.Nothing,
    };

    /// <inheritdoc/>
    public override string ToString() => Kind switch
    {
        GuestInstructionKind.Access => $"{How.ToString().ToLowerInvariant()} gpa{Gpa}",
        GuestInstructionKind.Tdcall => $"{Leaf.Name()} gpa{Gpa}{(Level > 0 ? $" level {Level}" : "")}",
        GuestInstructionKind.Vmcall => "TDG.VP.VMCALL",
        _ => "runs on",
    };
}

/// <summary>An instruction of a guest: a place in its code.</summary>
/// <param name="Name">The name of the place.</param>
/// <param name="Op">What it does.</param>
/// <param name="Rip">Its address. An instruction that touches several pages is several places with one address.</param>
/// <param name="Transitions">Where it leads.</param>
public sealed record GuestInstruction(string Name, GuestOp Op, ulong Rip, ImmutableArray<ProgramTransition> Transitions);
