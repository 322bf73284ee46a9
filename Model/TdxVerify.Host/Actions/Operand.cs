using TdxVerify.Abi;

namespace TdxVerify.Host;

/// <summary>What a register of a SEAMCALL holds, by what it means to the host.</summary>
/// <param name="Name">The meaning.</param>
public abstract record Operand(string Name)
{
    /// <summary>The TDR page.</summary>
    public static Operand Td { get; } = new Computed("TDR", (machine, in _, _, _) => machine.Pages.Address(TdPages.Tdr));

    /// <summary>The TDVPR page of the agent's vCPU.</summary>
    public static Operand Vcpu { get; } = new Computed("TDVPR", (machine, in _, bound, _) => machine.Pages.Address(TdPages.Tdvpr(bound.OwnVcpu))) { NeedsVcpu = true };

    /// <summary>The x2APIC id of the agent's vCPU: its number.</summary>
    public static Operand X2ApicId { get; } = new Computed("x2APIC id", (_, in _, bound, _) => (ulong)bound.OwnVcpu) { NeedsVcpu = true };

    /// <summary>The GPA, with the level of the action.</summary>
    public static Operand Entry { get; } = new Computed(
        "GPA | level",
        (machine, in thread, _, level) => PageInfo.Of(machine.Pages.Gpa(thread.Gpa) & ~(SeptLevel.Size(level) - 1), level).Value) { Needs = Remembered.Gpa };

    /// <summary>The GPA.</summary>
    public static Operand Gpa { get; } = new Computed("GPA", (machine, in thread, _, _) => machine.Pages.Gpa(thread.Gpa)) { Needs = Remembered.Gpa };

    /// <summary>The page that guest_memfd has for the GPA.</summary>
    public static Operand Page { get; } = new Computed("page", (machine, in thread, _, _) => machine.Pages.Address(machine.Pages.PageOf(thread.Gpa))) { Needs = Remembered.Gpa };

    /// <summary>The page that was read last out of a mirror SPTE.</summary>
    public static Operand ReadPage { get; } = new Computed("page of the SPTE", (machine, in thread, _, _) => machine.Pages.Address(thread.Page)) { Needs = Remembered.Page };

    /// <summary>The page that guest_memfd has for the GPA, with the TD's key id, as TDH.PHYMEM.PAGE.WBINVD takes it.</summary>
    public static Operand PageWithHkid { get; } = new Computed(
        "page | HKID", (machine, in thread, _, _) => machine.Pages.Address(machine.Pages.PageOf(thread.Gpa)) | machine.Pages.HkidBits) { Needs = Remembered.Gpa };

    /// <summary>The S-EPT page for the table below the GPA's entry at the action's level.</summary>
    public static Operand Table { get; } = new Computed("S-EPT page", (machine, in thread, _, level) => machine.Pages.Address(machine.Pages.TableOf(thread.Gpa, level))) { Needs = Remembered.Gpa };

    /// <summary>A page that belongs to nobody: the target of TDH.MEM.PAGE.RELOCATE.</summary>
    public static Operand SparePage { get; } = new Computed("spare page", (machine, in _, _, _) => machine.Pages.Address(TdPages.Spare(0)));

    /// <summary>The TDVPS page of the agent's vCPU that the counter names, 0 to 4.</summary>
    public static Operand TdvpsPage(string counter) => new Computed(
        $"TDVPS page {counter}",
        (machine, in thread, bound, _) => machine.Pages.Address(TdPages.Tdvpr(bound.OwnVcpu) + 1 + thread.Counters[machine.CounterOf(counter)])) { Counter = counter, NeedsVcpu = true };

    /// <summary>The TDCS page that the counter names, 0 to 5.</summary>
    public static Operand TdcsPage(string counter) => new Computed(
        $"TDCS page {counter}", (machine, in thread, _, _) => machine.Pages.Address(TdPages.FirstTdcs + thread.Counters[machine.CounterOf(counter)])) { Counter = counter };

    /// <summary>A number.</summary>
    public static Operand Number(ulong value) => new Computed(value.ToString("x"), (_, in _, _, _) => value);

    /// <summary>What an operand is where the action does not say otherwise.</summary>
    internal static Operand Default(HostLeaf leaf, LeafOperand operand) => operand switch
    {
        { Kind: OperandKind.Td } => Td,
        { Kind: OperandKind.Vcpu } => Vcpu,
        { Kind: OperandKind.PageInfo } => Entry,
        { Kind: OperandKind.Gpa } => Gpa,
        { Kind: OperandKind.Number, Name: "HKID" } => new Computed("HKID", (machine, in _, _, _) => (ulong)machine.Pages.Hkid),
        { Kind: OperandKind.Memory } => new Computed(operand.Name, (machine, in _, _, _) => machine.Pages.Address(TdPages.Parameters)),
        { Name: "S-EPT page" } => Table,
        { Name: "new page" } => SparePage,
        { Name: "TDR page" } => Td,
        { Name: "TDVPR page" } => Vcpu,
        { Kind: OperandKind.Page } when leaf == HostLeaf.TDH_PHYMEM_PAGE_WBINVD => PageWithHkid,
        { Kind: OperandKind.Page, Name: "page" } => Page,
        { Kind: OperandKind.Page } => throw new ProgramException($"{leaf.Name()}: say which {operand.Name}, with an operand for {operand.Register}."),
        _ => Number(0),
    };

    /// <summary>The counter that it depends on; null: none.</summary>
    internal string? Counter { get; init; }

    /// <summary>What it uses of what the thread remembers.</summary>
    internal Remembered Needs { get; init; }

    /// <summary>It is about the agent's own vCPU.</summary>
    internal bool NeedsVcpu { get; init; }

    internal abstract ulong Value(HostMachine machine, in Thread thread, HostAgent bound, int level);

    private delegate ulong Compute(HostMachine machine, in Thread thread, HostAgent bound, int level);

    private sealed record Computed(string Name, Compute Function) : Operand(Name)
    {
        internal override ulong Value(HostMachine machine, in Thread thread, HostAgent bound, int level) => Function(machine, thread, bound, level);
    }
}
