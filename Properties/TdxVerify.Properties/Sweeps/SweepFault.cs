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
            faults.AddRange([.. Tds(tdr, stage, leaf), .. Pages(tdr, call.Registers[tdr], stage), .. TdLocks(leaf, Hpa(call.Registers[tdr]))]);
        if (call.Tdvpr is { } tdvpr)
        {
            ulong owner = stage.OwnerOf(call.Registers[tdvpr]);
            faults.AddRange([.. Vcpus(tdvpr, stage, leaf), .. Pages(tdvpr, call.Registers[tdvpr], stage), .. TdLocks(leaf, owner), OwnerLock(owner)]);
        }

        if (call.Page is { } page)
            faults.AddRange(Pages(page, call.Registers[page], stage));
        if (call.Level >= 0)
            faults.AddRange(Entries(call, Hpa(call.Registers.Rdx), stage));
        faults.AddRange(Others(call, stage));
        foreach (ChoicePoint choice in leaf.Steps.Where(step => step.Kind == StepKind.Choice).Select(step => step.Choice).Distinct())
            faults.Add(new SweepFault { Name = $"{choice}", Choice = choice });
        return faults;
    }

    // Some operands have flags in the bits below the page and in bit 63.
    private static ulong Hpa(ulong operand) => operand & 0x000F_FFFF_FFFF_F000;

    private static SweepFault To(Register operand, string name, ulong value, bool isVariant = false) =>
        new() { Name = $"{operand}: {name}", Operand = operand, Alter = _ => value, IsVariant = isVariant };

    private static SweepFault Flip(Register operand, int bit, bool isVariant = false) =>
        new() { Name = $"{operand} bit {bit}", Operand = operand, Alter = value => value ^ (1UL << bit), IsVariant = isVariant };

    private static IEnumerable<SweepFault> Versions() =>
        [Flip(Register.Rax, 17), Flip(Register.Rax, 16, isVariant: true), Flip(Register.Rax, 24), Flip(Register.Rax, 63, isVariant: true), To(Register.Rax, "no leaf", 99)];

    private static IEnumerable<SweepFault> Tds(Register operand, SweepStage stage, Leaf<ObservedState> leaf)
    {
        foreach (SweepFault other in OtherTds(operand, stage))
        {
            yield return other;
            foreach (PortLock which in TdLocksOf(leaf))
                yield return WithLock(other, which, other.Alter(0));
        }
    }

    private static SweepFault WithLock(SweepFault other, PortLock which, ulong tdr) =>
        other with { Name = $"{other.Name}, {which} locked", IsVariant = true, Held = new LockOperation(which, true, false, tdr) };

    // The locks of a TD that the leaf takes.
    private static IEnumerable<PortLock> TdLocksOf(Leaf<ObservedState> leaf)
    {
        foreach ((PortLock which, LockId id) in ((PortLock, LockId)[])[(PortLock.OpState, LockId.OpState), (PortLock.SeptTree, LockId.SeptTree), (PortLock.Epoch, LockId.Epoch)])
        {
            if (leaf.Steps.Any(step => step.Lock?.Id == id))
                yield return which;
        }
    }

    private static IEnumerable<SweepFault> OtherTds(Register operand, SweepStage stage) =>
    [
        To(operand, "new TD", stage.New), To(operand, "TD with 3 TDCS pages", stage.Incomplete), To(operand, "TD with 5 TDCS pages", stage.AlmostComplete, isVariant: true),
        To(operand, "TD not initialised", stage.Complete),
        To(operand, "TD with 9 TDCS pages", stage.Full, isVariant: true), To(operand, "TD INITIALIZED", stage.Built.Tdr, isVariant: true),
        To(operand, "TD RUNNABLE", stage.Running.Tdr, isVariant: true), To(operand, "TD without vCPU", stage.WithoutVcpu, isVariant: true),
        To(operand, "TD blocked", stage.Blocked), To(operand, "TD written back", stage.WrittenBack, isVariant: true), To(operand, "TD torn down", stage.TornDown, isVariant: true),
    ];

    private static IEnumerable<SweepFault> Vcpus(Register operand, SweepStage stage, Leaf<ObservedState> leaf)
    {
        foreach (SweepFault other in OtherVcpus(operand, stage))
        {
            yield return other;
            if (TdLocksOf(leaf).Contains(PortLock.OpState))
                yield return WithLock(other, PortLock.OpState, stage.OwnerOf(other.Alter(0)));
        }
    }

    private static IEnumerable<SweepFault> OtherVcpus(Register operand, SweepStage stage)
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

        yield return To(operand, "vCPU ready, of a TD of which none runs", stage.Idle.ReadyVcpu, isVariant: true);
        yield return To(operand, "vCPU beyond MAX_VCPUS", stage.Crowded.CompleteVcpu);
        yield return To(operand, "vCPU ready, with 15 pages", stage.Crowded.FullVcpu, isVariant: true);
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
        foreach (PortLock which in TdLocksOf(leaf))
        {
            yield return new SweepFault { Name = $"{which} locked exclusively", Held = new LockOperation(which, true, false, tdr) };
            yield return new SweepFault { Name = $"{which} locked shared", Held = new LockOperation(which, false, false, tdr) };
        }
    }

    private static IEnumerable<SweepFault> Entries(SweepCall call, ulong tdr, SweepStage stage)
    {
        ulong gpa = call.Registers.Rcx & ~7UL;
        foreach (SweepFault other in OtherEntries(call))
        {
            yield return other;
            ulong operand = other.Alter(call.Registers.Rcx);
            if (other.IsVariant && other.Alter(0) == operand && BehindLocked(stage, tdr, operand, exclusive: true) is { } locked)
                yield return other with { Name = $"{other.Name}, {locked.Name}", Held = locked.Held };
        }

        foreach (bool exclusive in (bool[])[true, false])
        {
            if (BehindLocked(stage, tdr, call.Registers.Rcx, exclusive) is { } locked)
                yield return locked;
        }

        // It holds TDR exclusively, so nobody else can hold an entry: the module halts where it finds one locked.
        if (call.Leaf == HostLeaf.TDH_MEM_PAGE_ADD)
            yield break;
        yield return new SweepFault
        {
            Name = "S-EPT entry locked", Held = new LockOperation(PortLock.SeptEntry, true, false, tdr, call.Registers.Rcx & ~0xFF8UL),
        };
        if (call.Leaf != HostLeaf.TDH_MEM_PAGE_PROMOTE)
            yield break;
        ulong child = gpa + (5 * Abi.Hpa.PageSize);
        yield return new SweepFault { Name = "child entry locked", Held = new LockOperation(PortLock.SeptEntry, true, false, tdr, child) };
        if (stage.Behind(tdr, child, SeptLevel.Page4K) is not 0 and var page)
            yield return new SweepFault { Name = "child page locked", Held = new LockOperation(PortLock.Pamt, true, false, page) };
    }

    // What the entry maps or points to, locked by another agent.
    private static SweepFault? BehindLocked(SweepStage stage, ulong tdr, ulong operand, bool exclusive)
    {
        var info = new PageInfo(operand);
        return stage.Behind(tdr, info.Gpa, info.Level) is not 0 and var page
            ? new SweepFault
            {
                Name = $"page of the entry locked {(exclusive ? "exclusively" : "shared")}",
                Held = new LockOperation(PortLock.Pamt, exclusive, false, page),
            }
            : null;
    }

    private static IEnumerable<SweepFault> OtherEntries(SweepCall call)
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
            case HostLeaf.TDH_MEM_PAGE_RELOCATE:
                // What a FREE entry would map if its bits counted.
                yield return To(Register.R8, "first page of the TDMR", stage.Platform.PageBase);
                break;
            case HostLeaf.TDH_PHYMEM_PAGE_RECLAIM:
                yield return OwnerLock(stage.TornDown);
                yield return OwnerLock(stage.Full) with
                {
                    Name = "page of a TD that is not torn down, its TDR locked", Operand = Register.Rcx, Alter = _ => stage.TdcsPage, IsVariant = true,
                };
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
