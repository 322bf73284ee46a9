using TdxVerify.Abi;

namespace TdxVerify.Properties.Sweeps;

/// <summary>A call of a sweep with nothing wrong in it yet.</summary>
/// <param name="Registers">Its registers.</param>
/// <param name="Lp">The logical processor.</param>
/// <param name="Tdr">The register with the TDR; null: none.</param>
/// <param name="Tdvpr">The register with the TDVPR; null: none.</param>
/// <param name="Page">The register with another page; null: none.</param>
/// <param name="Level">The level of the S-EPT entry that RCX names; -1: it names none.</param>
internal sealed record SweepCall(RegisterFile Registers, int Lp, Register? Tdr, Register? Tdvpr, Register? Page, int Level)
{
    /// <summary>The leaf.</summary>
    public HostLeaf Leaf => (HostLeaf)LeafNames.Number(Registers.Rax);

    /// <summary>The calls of a leaf that a sweep starts from; most would succeed.</summary>
    public static IEnumerable<SweepCall> Of(HostLeaf leaf, SweepStage stage)
    {
        ulong built = stage.Built.Tdr;
        ulong running = stage.Running.Tdr;
        switch (leaf)
        {
            case HostLeaf.TDH_MNG_CREATE:
                yield return Make(leaf, rcx: stage.Unassigned, rdx: 60, page: Register.Rcx);
                break;
            case HostLeaf.TDH_MNG_KEY_CONFIG:
                yield return Make(leaf, rcx: stage.New, tdr: Register.Rcx);
                break;
            case HostLeaf.TDH_MNG_ADDCX:
                yield return Make(leaf, rcx: stage.Unassigned, rdx: stage.Incomplete, tdr: Register.Rdx, page: Register.Rcx);
                yield return Make(leaf, rcx: stage.Unassigned, rdx: stage.AlmostComplete, tdr: Register.Rdx, page: Register.Rcx);
                break;
            case HostLeaf.TDH_MNG_INIT:
                yield return Make(leaf, rcx: stage.Complete, rdx: Generation.Scope.ParametersAddress(stage.Platform), tdr: Register.Rcx);
                break;
            case HostLeaf.TDH_MNG_VPFLUSHDONE:
                yield return Make(leaf, rcx: stage.Complete, tdr: Register.Rcx);
                break;
            case HostLeaf.TDH_MNG_KEY_FREEID:
                yield return Make(leaf, rcx: stage.WrittenBack, tdr: Register.Rcx);
                break;
            case HostLeaf.TDH_MNG_KEY_RECLAIMID:
                yield return Make(leaf);
                break;
            case HostLeaf.TDH_MNG_RD:
                yield return Make(leaf, rcx: running, rdx: Generation.Scope.TdFields[0], tdr: Register.Rcx);
                break;
            case HostLeaf.TDH_VP_CREATE:
                yield return Make(leaf, rcx: stage.Unassigned, rdx: built, tdr: Register.Rdx, page: Register.Rcx);
                break;
            case HostLeaf.TDH_VP_ADDCX:
                yield return Make(leaf, rcx: stage.Unassigned, rdx: stage.Built.NewVcpu, tdvpr: Register.Rdx, page: Register.Rcx);
                break;
            case HostLeaf.TDH_VP_INIT:
                yield return Make(leaf, rcx: stage.Built.CompleteVcpu, tdvpr: Register.Rcx);
                if (stage.Platform.Profile == ModuleProfile.V1_5_05)
                    yield return Make(leaf, version: 1, rcx: stage.Built.CompleteVcpu, r8: 77, tdvpr: Register.Rcx);
                break;
            case HostLeaf.TDH_VP_ENTER:
                yield return Make(leaf, rcx: stage.Running.ReadyVcpu, tdvpr: Register.Rcx);
                yield return Make(leaf, rcx: stage.Idle.ReadyVcpu, tdvpr: Register.Rcx);
                break;
            case HostLeaf.TDH_VP_FLUSH:
                yield return Make(leaf, rcx: stage.Running.ReadyVcpu, tdvpr: Register.Rcx);
                yield return Make(leaf, rcx: stage.Built.ReadyVcpu, tdvpr: Register.Rcx);
                break;
            case HostLeaf.TDH_VP_RD:
                foreach (ulong vcpu in (ulong[])[stage.Running.ReadyVcpu, stage.Built.ReadyVcpu])
                    yield return Make(leaf, rcx: vcpu, rdx: Generation.Scope.VcpuFields[0], tdvpr: Register.Rcx);
                break;
            case HostLeaf.TDH_MEM_SEPT_ADD:
                foreach (int version in (int[])[0, 1])
                {
                    SweepCall add = AtEntry(leaf, SweepStage.LargeGpas[4], SeptLevel.Page2M, built, stage.Unassigned, Register.R8, version);
                    yield return add.WithoutL2Pages();

                    // The entry is there already, and that is allowed.
                    yield return AtEntry(leaf, SweepStage.LargeGpas[5], SeptLevel.Page2M, running | 1, stage.Unassigned, Register.R8, version).WithoutL2Pages();
                }

                break;
            case HostLeaf.TDH_MEM_SEPT_REMOVE:
                yield return AtEntry(leaf, SweepStage.LargeGpas[3], SeptLevel.Page2M, running);
                yield return AtEntry(leaf, SweepStage.LargeGpas[3], SeptLevel.Page2M, running, version: 1);
                break;
            case HostLeaf.TDH_MEM_SEPT_RD:
                yield return AtEntry(leaf, SweepStage.SmallGpas[1], SeptLevel.Page4K, running);
                yield return AtEntry(leaf, 0, SeptLevel.Page2M, stage.Debug | 1, r8: 5);
                break;
            case HostLeaf.TDH_MEM_PAGE_ADD:
                SweepCall pageAdd = AtEntry(leaf, SweepStage.SmallGpas[0], SeptLevel.Page4K, built, stage.Unassigned, Register.R8);
                yield return pageAdd with { Registers = pageAdd.Registers with { R9 = Generation.Scope.SourceAddress(stage.Platform) } };
                break;
            case HostLeaf.TDH_MEM_PAGE_AUG:
                yield return AtEntry(leaf, SweepStage.SmallGpas[0], SeptLevel.Page4K, running, stage.Unassigned, Register.R8);
                yield return AtEntry(leaf, SweepStage.LargeGpas[4], SeptLevel.Page2M, running, stage.UnassignedBlock, Register.R8);
                break;
            case HostLeaf.TDH_MEM_PAGE_REMOVE:
                yield return AtEntry(leaf, SweepStage.SmallGpas[2], SeptLevel.Page4K, running);
                yield return AtEntry(leaf, SweepStage.LargeGpas[2], SeptLevel.Page2M, running);
                if (stage.Inside1G != 0)
                    yield return AtEntry(leaf, SweepStage.Gpa1G, SeptLevel.Page1G, built);
                break;
            case HostLeaf.TDH_MEM_PAGE_RELOCATE:
                yield return AtEntry(leaf, SweepStage.SmallGpas[2], SeptLevel.Page4K, running, stage.Unassigned, Register.R8);
                break;
            case HostLeaf.TDH_MEM_PAGE_PROMOTE:
                foreach (int version in (int[])[0, 1])
                {
                    yield return AtEntry(leaf, SweepStage.GpaMergeable, SeptLevel.Page2M, built, version: version);
                    yield return AtEntry(leaf, SweepStage.LargeGpas[3], SeptLevel.Page2M, running, version: version);
                }

                break;
            case HostLeaf.TDH_MEM_PAGE_DEMOTE:
                yield return AtEntry(leaf, SweepStage.LargeGpas[2], SeptLevel.Page2M, running, stage.Unassigned, Register.R8);
                break;
            case HostLeaf.TDH_MEM_RANGE_BLOCK:
                yield return AtEntry(leaf, SweepStage.SmallGpas[1], SeptLevel.Page4K, running);
                break;
            case HostLeaf.TDH_MEM_RANGE_UNBLOCK:
                yield return AtEntry(leaf, SweepStage.SmallGpas[2], SeptLevel.Page4K, running);
                break;
            case HostLeaf.TDH_MEM_TRACK:
                yield return Make(leaf, rcx: running, tdr: Register.Rcx);
                break;
            case HostLeaf.TDH_MR_EXTEND:
                yield return Make(leaf, rcx: SweepStage.SmallGpas[1], rdx: built, tdr: Register.Rdx) with { Level = SeptLevel.Page4K };
                break;
            case HostLeaf.TDH_MR_FINALIZE:
                yield return Make(leaf, rcx: built, tdr: Register.Rcx);
                break;
            case HostLeaf.TDH_PHYMEM_PAGE_RECLAIM:
                yield return Make(leaf, rcx: stage.TornDownPage, page: Register.Rcx);
                break;
            case HostLeaf.TDH_PHYMEM_PAGE_RDMD:
                yield return Make(leaf, rcx: stage.Running.SmallPage, page: Register.Rcx);
                break;
            case HostLeaf.TDH_PHYMEM_PAGE_WBINVD:
                yield return Make(leaf, rcx: stage.Unassigned, page: Register.Rcx);
                break;
            case HostLeaf.TDH_PHYMEM_CACHE_WB:
                yield return Make(leaf);
                break;
            default:
                break;
        }
    }

    private SweepCall WithoutL2Pages() =>
        this with { Registers = Registers with { R9 = ulong.MaxValue, R10 = ulong.MaxValue, R11 = ulong.MaxValue } };

    private static SweepCall Make(
        HostLeaf leaf, int version = 0, ulong rcx = 0, ulong rdx = 0, ulong r8 = 0, Register? tdr = null, Register? tdvpr = null, Register? page = null)
    {
        RegisterFile registers = SweepRunner.Registers(leaf, rcx, rdx, r8);
        registers.Rax |= (ulong)version << 16;
        return new SweepCall(registers, 0, tdr, tdvpr, page, -1);
    }

    private static SweepCall AtEntry(HostLeaf leaf, ulong gpa, int level, ulong tdr, ulong r8 = 0, Register? page = null, int version = 0) =>
        Make(leaf, version, PageInfo.Of(gpa, level).Value, tdr, r8, tdr: Register.Rdx, page: page) with { Level = level };
}
