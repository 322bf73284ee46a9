using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Choices;
using static TdxVerify.Properties.Generation.Calls;
using static TdxVerify.Properties.Generation.TdSearch;

namespace TdxVerify.Properties.Generation;

/// <summary>The life of a TD up to its running, and what it maps.</summary>
internal sealed class BuildChoice(World world, TeardownChoice teardown)
{
    private const int VcpusPerTd = 4;

    private static readonly HostLeaf[] s_memoryLeaves =
    [
        .. LeafNames.ModelledHost.Where(leaf => LeafOperands.Of(leaf) is [{ Kind: OperandKind.PageInfo or OperandKind.Gpa }, ..]),
    ];

    /// <summary>TDH.MNG.CREATE; it fails where there are as many TDs as there may be.</summary>
    public RegisterFile NewTd(ref ChoiceReader choices, in ObservedState s, int maximumTds)
    {
        int hkid = s.Platform.HkidFirst + choices.Below(s.Platform.HkidCount);
        if (choices.Percent(94))
        {
            for (int i = 0; i < s.Platform.HkidCount && (HkidState)s.Key(hkid, KeyField.State) != HkidState.HKID_FREE; i++)
                hkid = hkid + 1 < s.Platform.HkidFirst + s.Platform.HkidCount ? hkid + 1 : s.Platform.HkidFirst;
        }

        if (world.Tds.Count >= maximumTds)
            hkid = s.Platform.HkidFirst - 1;
        return Registers(HostLeaf.TDH_MNG_CREATE, world.FreePage(s, choices.Percent(50)), (ulong)hkid);
    }

    /// <summary>The step that brings the TD nearer to running; for a running TD, what it maps.</summary>
    public RegisterFile Next(ref ChoiceReader choices, in ObservedState s, TdView td, ref Operation operation)
    {
        int handle = td.Handle;
        switch ((TdLifecycle)s.Td(handle, TdField.Lifecycle))
        {
            case TdLifecycle.TD_HKID_ASSIGNED:
                return Registers(HostLeaf.TDH_MNG_KEY_CONFIG, td.Tdr);
            case TdLifecycle.TD_KEYS_CONFIGURED:
                break;
            default:
                int lp = 0;
                return teardown.Next(ref choices, s, td, ref lp, ref operation);
        }

        ulong free = world.FreePage(s, choices.Percent(30));
        switch ((OpState)s.Td(handle, TdField.OpState))
        {
            case OpState.UNINITIALIZED:
                if (AddsPage(ref choices, s.Td(handle, TdField.TdcsPages), (ulong)s.Platform.TdcsPages))
                    return Registers(HostLeaf.TDH_MNG_ADDCX, free, td.Tdr);
                ulong parameters = Scope.ParametersAddress(s.Platform);
                operation.Prelude = Parameters(ref choices, parameters, mayNameL2Vms: s.Td(handle, TdField.TdcsPages) <= (ulong)s.Platform.TdcsPages);
                operation.HasPrelude = true;
                return Registers(HostLeaf.TDH_MNG_INIT, td.Tdr, parameters);
            case OpState.INITIALIZED:
                return BuildVcpus(ref choices, s, td, free, ref operation);
            default:
                return Map(ref choices, s, td, ref operation);
        }
    }

    /// <summary>An S-EPT page or a page, where nothing is mapped yet; first what is needed for that.</summary>
    public RegisterFile Map(ref ChoiceReader choices, in ObservedState s, TdView td, ref Operation operation)
    {
        bool isReady = Is(s, td, OpState.INITIALIZED) || Is(s, td, OpState.RUNNABLE);
        if (!isReady && choices.Percent(8))
        {
            RegisterFile early = AtRange(choices.OneOf<HostLeaf>(s_memoryLeaves), td, SomeRange(ref choices) with { Level = SeptLevel.Page1G }, world.FreePage(s, reuse: false));
            early.Rax |= choices.Percent(35) ? 1UL << 16 : 0;
            return early;
        }

        if (!isReady)
            return Next(ref choices, s, td, ref operation);
        Range range = SomeRange(ref choices);
        ulong page = world.FreePage(s, choices.Percent(60));
        (int reached, SeptState state) = WalkTo(s, td, range);
        bool wantsFree = !choices.Percent(10);
        for (int i = 0; i < 8 && wantsFree && state != SeptState.FREE; i++)
        {
            int other = i < 4 ? i + 1 : choices.Below(512);
            range = range with { Gpa = range.Gpa ^ ((ulong)other << SeptLevel.Shift(range.Level)) };
            (reached, state) = WalkTo(s, td, range);
        }

        if (td.Tables.Count > 0 && choices.Percent(2))
        {
            RegisterFile again = AtRange(HostLeaf.TDH_MEM_SEPT_ADD, td, td.Tables[choices.Below(td.Tables.Count)], page);
            MakeVersion1(ref choices, ref again);
            return again;
        }

        if (reached > range.Level && state == SeptState.FREE)
        {
            var table = new Range(range.Gpa & ~(SeptLevel.Size(reached) - 1), reached);
            RegisterFile add = AtRange(HostLeaf.TDH_MEM_SEPT_ADD, td, table, page);
            MakeVersion1(ref choices, ref add);
            return add;
        }

        if (state == SeptState.NL_BLOCKED && !choices.Percent(10))
            return ReshapeChoice.Reopen(s, td, new Range(range.Gpa & ~(SeptLevel.Size(reached) - 1), reached));
        if (Is(s, td, OpState.INITIALIZED) && range.Level == SeptLevel.Page4K && !choices.Percent(30))
        {
            RegisterFile add = AtRange(HostLeaf.TDH_MEM_PAGE_ADD, td, range, page);
            add.R9 = Scope.SourceAddress(s.Platform);
            return add;
        }

        if (range.Level == SeptLevel.Page2M)
            page = world.FreeBlock(s, ahead: choices.Below(2));
        return AtRange(HostLeaf.TDH_MEM_PAGE_AUG, td, range, page);
    }

    // Mostly until there are enough; whoever goes on does so until there are too many.
    private static bool AddsPage(ref ChoiceReader choices, ulong pages, ulong enough) =>
        pages < enough ? !choices.Percent(2) : pages == enough ? choices.Percent(4) : choices.Percent(85);

    private static TraceEvent Parameters(ref ChoiceReader choices, ulong address, bool mayNameL2Vms)
    {
        ulong value = choices.Next();
        bool illegal = value % 100 >= 90;
        byte[] image = TdParamsImage.Build(
            septVeDisable: (value >> 8 & 1) != 0,
            fiveLevels: (value >> 9 & 3) == 3,
            wideGpa: (value >> 11 & 3) == 3,
            maxVcpus: (value >> 13 & 7) == 7 ? 1 : 8,
            illegal: illegal ? (int)(value >> 20 & 0xFF) : -1,
            mayNameL2Vms);
        return TraceEvent.OfWrite(address, image);
    }

    private RegisterFile BuildVcpus(ref ChoiceReader choices, in ObservedState s, TdView td, ulong free, ref Operation operation)
    {
        foreach (VcpuView vcpu in td.Vcpus)
        {
            if ((VcpuState)s.Vcpu(vcpu.Handle, VcpuField.State) != VcpuState.VCPU_UNINITIALIZED
                || (s.Td(td.Handle, TdField.NumVcpus) >= s.Td(td.Handle, TdField.MaxVcpus) && !choices.Percent(5)))
            {
                continue;
            }

            if (AddsPage(ref choices, s.Vcpu(vcpu.Handle, VcpuField.Pages), (ulong)s.Platform.TdvpxPages + 1))
                return Registers(HostLeaf.TDH_VP_ADDCX, free, vcpu.Tdvpr);
            bool version1 = s.Platform.Profile == ModuleProfile.V1_5_05 && choices.Percent(50);
            RegisterFile init = Registers(HostLeaf.TDH_VP_INIT, vcpu.Tdvpr, 0, version1 ? (ulong)choices.Below(6) : 0);
            init.Rax |= version1 ? 1UL << 16 : 0;
            return init;
        }

        int wanted = 1 + choices.Below(VcpusPerTd);
        if (td.Vcpus.Count < wanted)
            return Registers(HostLeaf.TDH_VP_CREATE, free, td.Tdr);
        switch (choices.Below(6))
        {
            case 0:
                return Registers(HostLeaf.TDH_MR_FINALIZE, td.Tdr);
            case 1:
                ulong gpa = (Find(ref choices, s, td, td.Leaves, SeptStates.MAPPED) ?? SomeMapped(ref choices, td)).Gpa;
                return Registers(HostLeaf.TDH_MR_EXTEND, gpa + (0x100 * (ulong)choices.Below(16)) + (choices.Percent(5) ? 0x80UL : 0), td.Tdr);
            case 2 when td.Vcpus.Count > 0 && choices.Percent(5):
                return Registers(HostLeaf.TDH_VP_ADDCX, free, td.Vcpus[choices.Below(td.Vcpus.Count)].Tdvpr);
            default:
                return Map(ref choices, s, td, ref operation);
        }
    }

    private static void MakeVersion1(ref ChoiceReader choices, ref RegisterFile add)
    {
        ulong value = choices.Next();
        if (value % 100 < 75)
            return;
        add.Rax |= 1UL << 16;
        add.R9 = add.R10 = add.R11 = ulong.MaxValue;
        add.Rdx |= value >> 8 & 1;
        if ((value >> 16 & 7) == 7)
            add[(Register)((int)Register.R9 + (int)(value >> 24 & 1) + (int)(value >> 25 & 1))] ^= 1UL << (int)(value >> 32 & 63);
    }
}
