using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Properties.Sweeps;

/// <summary>Something wrong with a call, or around it.</summary>
internal sealed record SweepFault
{
    /// <summary>What is wrong.</summary>
    public required string Name { get; init; }

    /// <summary>The register that it alters; null: none.</summary>
    public Register? Operand { get; init; }

    /// <summary>Alters the register's value.</summary>
    public Func<ulong, ulong> Alter { get; init; } = value => value;

    /// <summary>A lock that another agent holds meanwhile.</summary>
    public LockOperation? Held { get; init; }

    /// <summary>A host interrupt is pending.</summary>
    public bool Interrupt { get; init; }

    /// <summary>A choice point fails.</summary>
    public ChoicePoint Choice { get; init; }

    /// <summary>The call is made on this processor instead; -1: no.</summary>
    public int Lp { get; init; } = -1;

    /// <summary>Variants of another fault are combined only with faults that are none.</summary>
    public bool IsVariant { get; init; }

    /// <summary>The faults of a call.</summary>
    public static List<SweepFault> Of(SweepCall call, SweepStage stage, LeafSet<ObservedState> leaves)
    {
        Leaf<ObservedState> leaf = leaves.Host(call.Registers.Rax)!;
        List<SweepFault> faults = [.. Versions()];
        if (call.Tdr is { } tdr)
            faults.AddRange([.. Tds(tdr, stage), .. Pages(tdr, call.Registers[tdr], stage), .. TdLocks(leaf, call.Registers[tdr])]);
        if (call.Tdvpr is { } tdvpr)
        {
            StagedTd td = call.Registers[tdvpr] < stage.Running.NewVcpu ? stage.Built : stage.Running;
            faults.AddRange([.. Vcpus(tdvpr, stage), .. Pages(tdvpr, call.Registers[tdvpr], stage), .. TdLocks(leaf, td.Tdr), OwnerLock(td.Tdr)]);
        }

        if (call.Page is { } page)
            faults.AddRange(Pages(page, call.Registers[page], stage));
        if (call.Level >= 0)
            faults.AddRange(Entries(call, call.Registers.Rdx));
        faults.AddRange(Others(call, stage));
        foreach (ChoicePoint choice in leaf.Steps.Where(step => step.Kind == StepKind.Choice).Select(step => step.Choice).Distinct())
            faults.Add(new SweepFault { Name = $"{choice}", Choice = choice });
        return faults;
    }

    private static SweepFault To(Register operand, string name, ulong value, bool isVariant = false) =>
        new() { Name = $"{operand}: {name}", Operand = operand, Alter = _ => value, IsVariant = isVariant };

    private static SweepFault Flip(Register operand, int bit, bool isVariant = false) =>
        new() { Name = $"{operand} bit {bit}", Operand = operand, Alter = value => value ^ (1UL << bit), IsVariant = isVariant };

    private static IEnumerable<SweepFault> Versions() =>
        [Flip(Register.Rax, 17), Flip(Register.Rax, 16, isVariant: true), Flip(Register.Rax, 24), Flip(Register.Rax, 63, isVariant: true), To(Register.Rax, "no leaf", 99)];

    private static IEnumerable<SweepFault> Tds(Register operand, SweepStage stage) =>
    [
        To(operand, "new TD", stage.New), To(operand, "TD with 3 TDCS pages", stage.Incomplete), To(operand, "TD not initialised", stage.Complete),
        To(operand, "TD with 9 TDCS pages", stage.Full, isVariant: true), To(operand, "TD INITIALIZED", stage.Built.Tdr, isVariant: true),
        To(operand, "TD RUNNABLE", stage.Running.Tdr, isVariant: true), To(operand, "TD without vCPU", stage.WithoutVcpu, isVariant: true),
        To(operand, "TD blocked", stage.Blocked), To(operand, "TD written back", stage.WrittenBack, isVariant: true), To(operand, "TD torn down", stage.TornDown, isVariant: true),
    ];

    private static IEnumerable<SweepFault> Vcpus(Register operand, SweepStage stage)
    {
        foreach (StagedTd td in (StagedTd[])[stage.Built, stage.Running])
        {
            yield return To(operand, "vCPU with 1 page", td.NewVcpu);
            yield return To(operand, "vCPU with 5 pages", td.IncompleteVcpu);
            yield return To(operand, "vCPU not initialised", td.CompleteVcpu, isVariant: true);
            yield return To(operand, "vCPU with 15 pages", td.FullVcpu, isVariant: true);
            yield return To(operand, "vCPU ready", td.ReadyVcpu, isVariant: true);
            yield return To(operand, "vCPU associated elsewhere", td.ElsewhereVcpu);
            yield return To(operand, "vCPU in the guest", td.ActiveVcpu);
        }
    }

    private static IEnumerable<SweepFault> Pages(Register operand, ulong right, SweepStage stage)
    {
        yield return Flip(operand, 46);
        yield return Flip(operand, 51, isVariant: true);
        yield return Flip(operand, 11, isVariant: true);
        yield return To(operand, "page outside the TDMR", stage.Platform.PageEnd);
        yield return To(operand, "block in use", stage.UsedBlock, isVariant: true);
        yield return Holding(operand, "own page", right);
        yield return Holding(operand, "own page", right, exclusive: false);
        foreach ((string name, ulong page, bool isVariant) in ((string, ulong, bool)[])
            [
                ("TDCS page", stage.TdcsPage, false), ("mapped page", stage.Running.SmallPage, true), ("S-EPT page", stage.Running.TablePage, true),
                ("TDR", stage.WithoutVcpu, true), ("TDVPR", stage.Built.NewVcpu, true), ("unassigned page", stage.Unassigned, true),
                ("page inside 2 MiB", stage.Inside2M, false), ("page inside 1 GiB", stage.Inside1G, false),
            ])
        {
            if (page == 0)
                continue;
            yield return To(operand, name, page, isVariant);
            yield return Holding(operand, name, page) with { Alter = _ => page, IsVariant = isVariant };
            if (!isVariant)
                yield return Holding(operand, name, page, exclusive: false) with { Alter = _ => page };
        }
    }

    private static SweepFault Holding(Register operand, string name, ulong page, bool exclusive = true) => new()
    {
        Name = $"{operand}: {name} locked {(exclusive ? "exclusively" : "shared")}",
        Operand = operand,
        Held = new LockOperation(PortLock.Pamt, exclusive, false, page & 0x000F_FFFF_FFFF_F000),
    };

    private static SweepFault OwnerLock(ulong tdr) => new() { Name = "owner TDR locked", Held = new LockOperation(PortLock.Tdr, true, false, tdr) };

    private static IEnumerable<SweepFault> TdLocks(Leaf<ObservedState> leaf, ulong tdr)
    {
        foreach ((LockId id, PortLock which) in ((LockId, PortLock)[])[(LockId.OpState, PortLock.OpState), (LockId.SeptTree, PortLock.SeptTree), (LockId.Epoch, PortLock.Epoch)])
        {
            if (!leaf.Steps.Any(step => step.Lock?.Id == id))
                continue;
            yield return new SweepFault { Name = $"{which} locked exclusively", Held = new LockOperation(which, true, false, tdr) };
            yield return new SweepFault { Name = $"{which} locked shared", Held = new LockOperation(which, false, false, tdr) };
        }
    }

    private static IEnumerable<SweepFault> Entries(SweepCall call, ulong tdr)
    {
        ulong gpa = call.Registers.Rcx & ~7UL;
        yield return Flip(Register.Rcx, 3);
        yield return Flip(Register.Rcx, 47);
        yield return Flip(Register.Rcx, 51, isVariant: true);
        yield return Flip(Register.Rcx, 12 + (9 * call.Level) - 1);
        yield return Flip(Register.Rcx, 63, isVariant: true);
        for (int level = 0; level < 8; level++)
        {
            if (level != call.Level)
                yield return To(Register.Rcx, $"level {level}", (gpa & ~(SeptLevel.Size(Math.Min(level, 4)) - 1)) | (uint)level, isVariant: level is 1 or 2 or 3);
        }

        foreach (ulong small in SweepStage.SmallGpas.ToArray())
            yield return To(Register.Rcx, $"entry 0x{small:x} level 0", small, isVariant: true);
        foreach (ulong large in SweepStage.LargeGpas.ToArray())
        {
            yield return To(Register.Rcx, $"entry 0x{large:x} level 1", large | 1, isVariant: true);
            yield return To(Register.Rcx, $"entry 0x{large:x} level 0", large, isVariant: true);
        }

        yield return To(Register.Rcx, "1 GiB entry", SweepStage.Gpa1G | 2, isVariant: true);
        yield return To(Register.Rcx, "entry without S-EPT page", SweepStage.GpaUnmapped | (uint)call.Level);

        // It holds TDR exclusively, so nobody else can hold an entry: the module halts where it finds one locked.
        if (call.Leaf == HostLeaf.TDH_MEM_PAGE_ADD)
            yield break;
        yield return new SweepFault
        {
            Name = "S-EPT entry locked", Held = new LockOperation(PortLock.SeptEntry, true, false, tdr, call.Registers.Rcx & ~0xFF8UL),
        };
    }

    private static IEnumerable<SweepFault> Others(SweepCall call, SweepStage stage)
    {
        yield return new SweepFault { Name = "interrupt", Interrupt = true };
        switch (call.Leaf)
        {
            case HostLeaf.TDH_MNG_CREATE:
                yield return To(Register.Rdx, "key id in use", (ulong)stage.Platform.HkidFirst);
                yield return To(Register.Rdx, "the module's key id", (ulong)stage.Platform.PrivateHkidFirst);
                yield return Flip(Register.Rdx, 16);
                break;
            case HostLeaf.TDH_MNG_INIT:
                yield return Flip(Register.Rdx, 9);
                yield return Flip(Register.Rdx, 51);
                yield return Flip(Register.Rdx, 52, isVariant: true);
                break;
            case HostLeaf.TDH_MNG_RD:
                foreach (ulong field in Generation.Scope.TdFields.ToArray())
                    yield return To(Register.Rdx, $"field 0x{field:x}", field);
                break;
            case HostLeaf.TDH_VP_RD:
                foreach (ulong field in Generation.Scope.VcpuFields.ToArray())
                    yield return To(Register.Rdx, $"field 0x{field:x}", field);
                yield return new SweepFault { Name = "another processor", Lp = 1 };
                break;
            case HostLeaf.TDH_VP_ENTER:
                yield return Flip(Register.Rcx, 52);
                yield return Flip(Register.Rcx, 53);
                yield return Flip(Register.Rcx, 54);
                yield return new SweepFault { Name = "another processor", Lp = 1 };
                break;
            case HostLeaf.TDH_VP_FLUSH:
                yield return new SweepFault { Name = "another processor", Lp = 1 };
                break;
            case HostLeaf.TDH_VP_INIT:
                yield return Flip(Register.R8, 32);
                yield return To(Register.R8, "id in use", 0, isVariant: true);
                break;
            case HostLeaf.TDH_MEM_SEPT_ADD:
                yield return Flip(Register.Rdx, 0);
                yield return Flip(Register.Rdx, 1);
                yield return Flip(Register.Rdx, 63, isVariant: true);
                yield return Flip(Register.R8, 63);
                yield return To(Register.R8, "no page", ulong.MaxValue);
                foreach (Register page in (Register[])[Register.R9, Register.R10, Register.R11])
                    yield return To(page, "a page", stage.Unassigned);
                break;
            case HostLeaf.TDH_MEM_SEPT_RD:
                yield return Flip(Register.Rdx, 0);
                yield return Flip(Register.R8, 5, isVariant: true);
                break;
            case HostLeaf.TDH_MEM_PAGE_DEMOTE:
                yield return Flip(Register.Rdx, 1);
                yield return Flip(Register.Rdx, 63, isVariant: true);
                break;
            case HostLeaf.TDH_MEM_PAGE_ADD:
                yield return Flip(Register.R9, 11);
                yield return Flip(Register.R9, 51, isVariant: true);
                break;
            case HostLeaf.TDH_MR_EXTEND:
                yield return Flip(Register.Rcx, 7);
                break;
            case HostLeaf.TDH_PHYMEM_CACHE_WB:
                yield return To(Register.Rcx, "resume", 1);
                yield return To(Register.Rcx, "neither", 2);
                break;
            default:
                break;
        }
    }
}
