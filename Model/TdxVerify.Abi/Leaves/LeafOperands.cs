namespace TdxVerify.Abi;

/// <summary>What the register of an operand holds.</summary>
public enum OperandKind
{
    /// <summary>A number, written in hexadecimal.</summary>
    Value,

    /// <summary>A number, written in decimal.</summary>
    Number,

    /// <summary>HPA of a TDR page; flags may be in bits 11:0.</summary>
    Td,

    /// <summary>HPA of a TDVPR page; flags may be in the bits around it.</summary>
    Vcpu,

    /// <summary>HPA of a page of the TDMR.</summary>
    Page,

    /// <summary>HPA of memory outside of the TDMR's rules: the host's own.</summary>
    Memory,

    /// <summary>Level and GPA of an S-EPT entry, packed (<see cref="Abi.PageInfo"/>).</summary>
    PageInfo,

    /// <summary>A GPA without a level.</summary>
    Gpa,
}

/// <summary>An operand of a leaf.</summary>
/// <param name="Register">Where it is.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Name">What the leaf uses it for, such as <c>S-EPT page</c>; empty where the kind says it.</param>
public readonly record struct LeafOperand(Register Register, OperandKind Kind, string Name = "");

/// <summary>The input operands of each modelled leaf, in the order in which a person names them (facts/leaves.csv).</summary>
public static class LeafOperands
{
    private static readonly LeafOperand s_td = new(Register.Rcx, OperandKind.Td);
    private static readonly LeafOperand s_tdInRdx = new(Register.Rdx, OperandKind.Td);
    private static readonly LeafOperand s_vcpu = new(Register.Rcx, OperandKind.Vcpu);
    private static readonly LeafOperand s_entry = new(Register.Rcx, OperandKind.PageInfo);
    private static readonly LeafOperand s_page = new(Register.Rcx, OperandKind.Page, "page");
    private static readonly LeafOperand s_field = new(Register.Rdx, OperandKind.Value, "field");

    private static readonly Dictionary<HostLeaf, LeafOperand[]> s_host = new()
    {
        [HostLeaf.TDH_MNG_CREATE] = [new(Register.Rcx, OperandKind.Page, "TDR page"), new(Register.Rdx, OperandKind.Number, "HKID")],
        [HostLeaf.TDH_MNG_KEY_CONFIG] = [s_td],
        [HostLeaf.TDH_MNG_ADDCX] = [new(Register.Rcx, OperandKind.Page, "TDCS page"), s_tdInRdx],
        [HostLeaf.TDH_MNG_INIT] = [s_td, new(Register.Rdx, OperandKind.Memory, "TD_PARAMS")],
        [HostLeaf.TDH_MNG_VPFLUSHDONE] = [s_td],
        [HostLeaf.TDH_MNG_KEY_FREEID] = [s_td],
        [HostLeaf.TDH_MNG_KEY_RECLAIMID] = [s_td],
        [HostLeaf.TDH_MNG_RD] = [s_td, s_field],
        [HostLeaf.TDH_VP_CREATE] = [new(Register.Rcx, OperandKind.Page, "TDVPR page"), s_tdInRdx],
        [HostLeaf.TDH_VP_ADDCX] = [new(Register.Rcx, OperandKind.Page, "TDVPS page"), new(Register.Rdx, OperandKind.Vcpu)],
        [HostLeaf.TDH_VP_INIT] = [s_vcpu, new(Register.Rdx, OperandKind.Value, "initial RCX")],
        [HostLeaf.TDH_VP_ENTER] = [s_vcpu],
        [HostLeaf.TDH_VP_FLUSH] = [s_vcpu],
        [HostLeaf.TDH_VP_RD] = [s_vcpu, s_field],
        [HostLeaf.TDH_MEM_SEPT_ADD] = [s_entry, s_tdInRdx, new(Register.R8, OperandKind.Page, "S-EPT page")],
        [HostLeaf.TDH_MEM_SEPT_REMOVE] = [s_entry, s_tdInRdx],
        [HostLeaf.TDH_MEM_SEPT_RD] = [s_entry, s_tdInRdx],
        [HostLeaf.TDH_MEM_PAGE_ADD] = [s_entry, s_tdInRdx, new(Register.R8, OperandKind.Page, "page"), new(Register.R9, OperandKind.Memory, "source")],
        [HostLeaf.TDH_MEM_PAGE_AUG] = [s_entry, s_tdInRdx, new(Register.R8, OperandKind.Page, "page")],
        [HostLeaf.TDH_MEM_PAGE_REMOVE] = [s_entry, s_tdInRdx],
        [HostLeaf.TDH_MEM_PAGE_RELOCATE] = [s_entry, s_tdInRdx, new(Register.R8, OperandKind.Page, "new page")],
        [HostLeaf.TDH_MEM_PAGE_PROMOTE] = [s_entry, s_tdInRdx],
        [HostLeaf.TDH_MEM_PAGE_DEMOTE] = [s_entry, s_tdInRdx, new(Register.R8, OperandKind.Page, "S-EPT page")],
        [HostLeaf.TDH_MEM_RANGE_BLOCK] = [s_entry, s_tdInRdx],
        [HostLeaf.TDH_MEM_RANGE_UNBLOCK] = [s_entry, s_tdInRdx],
        [HostLeaf.TDH_MEM_TRACK] = [s_td],
        [HostLeaf.TDH_MR_EXTEND] = [new(Register.Rcx, OperandKind.Gpa), s_tdInRdx],
        [HostLeaf.TDH_MR_FINALIZE] = [s_td],
        [HostLeaf.TDH_PHYMEM_PAGE_RECLAIM] = [s_page],
        [HostLeaf.TDH_PHYMEM_PAGE_RDMD] = [s_page],
        [HostLeaf.TDH_PHYMEM_PAGE_WBINVD] = [s_page],
        [HostLeaf.TDH_PHYMEM_CACHE_WB] = [new(Register.Rcx, OperandKind.Number, "resume")],
    };

    private static readonly Dictionary<GuestLeaf, LeafOperand[]> s_guest = new()
    {
        [GuestLeaf.TDG_VP_VMCALL] = [new(Register.Rcx, OperandKind.Value, "registers passed")],
        [GuestLeaf.TDG_VP_INFO] = [],
        [GuestLeaf.TDG_VP_VEINFO_GET] = [],
        [GuestLeaf.TDG_MEM_PAGE_ACCEPT] = [s_entry],
        [GuestLeaf.TDG_MEM_PAGE_ATTR_RD] = [new(Register.Rcx, OperandKind.Gpa)],
        [GuestLeaf.TDG_MEM_PAGE_ATTR_WR] =
            [s_entry, new(Register.Rdx, OperandKind.Value, "attributes"), new(Register.R8, OperandKind.Value, "mask")],
    };

    // The address bits of a register that holds a page's HPA with flags around it.
    private const ulong PageMask = 0x000F_FFFF_FFFF_F000;

    /// <summary>The operands of a SEAMCALL leaf; none where it is not modelled.</summary>
    public static IReadOnlyList<LeafOperand> Of(HostLeaf leaf) => s_host.GetValueOrDefault(leaf, []);

    /// <summary>The operands of a TDCALL leaf; none where it is not modelled.</summary>
    public static IReadOnlyList<LeafOperand> Of(GuestLeaf leaf) => s_guest.GetValueOrDefault(leaf, []);

    /// <summary>The page that an operand names, flag bits removed; null where its kind names none.</summary>
    public static ulong? PageOf(this LeafOperand operand, in RegisterFile registers) =>
        operand.Kind is OperandKind.Td or OperandKind.Vcpu or OperandKind.Page ? registers[operand.Register] & PageMask : null;

    /// <summary>The GPA and level that an operand names, level 0 for a GPA without one; null where its kind names none.</summary>
    public static PageInfo? EntryOf(this LeafOperand operand, in RegisterFile registers) => operand.Kind switch
    {
        OperandKind.PageInfo => new PageInfo(registers[operand.Register]),
        OperandKind.Gpa => new PageInfo(registers[operand.Register] & PageMask),
        _ => null,
    };
}
