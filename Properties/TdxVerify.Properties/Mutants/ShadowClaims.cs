using TdxVerify.Model.Mutants;

namespace TdxVerify.Properties.Mutants;

/// <summary>All claims about equivalent mutants.</summary>
internal static class ShadowClaims
{
    private static readonly MutantKind[] s_failures =
        [MutantKind.CheckDropped, MutantKind.StatusAltered, MutantKind.OperandAltered, MutantKind.FailureAltered, MutantKind.StepsSwapped, MutantKind.UndoDropped];

    private static readonly StepName s_dispatcherReset = new("TDCALL dispatcher", "VM exit: RIP differs");

    public static IReadOnlyList<ShadowClaim> All { get; } =
    [
        .. NothingSetsIt(), .. NobodyElseHoldsIt(), .. CheckedWhenItWasCreated(), .. DoneTwice(), .. ShowsInNoRegister(), .. OutOfScope(),
    ];

    private static IEnumerable<ShadowClaim> NothingSetsIt() =>
    [
        new() { Leaf = "*", Step = "TDR.FATAL is clear", Kinds = s_failures, NeverFails = true, Reason = "no modelled step sets TDR.FATAL: a machine check or an integrity error does" },
        new() { Leaf = "*", Step = "(else the module halts)", Kinds = s_failures, NeverFails = true, Reason = "only a call that overlaps can fail it: TDH.MEM.PAGE.AUG between its writes of the S-EPT entry and of the PAMT" },
        new() { Leaf = "*", Step = "vCPU state is", Fault = "VCPU_DISABLED", Kinds = [MutantKind.SetAltered], Reason = "no modelled step sets VCPU_DISABLED: a non-recoverable TD exit does" },
        new() { Leaf = "TDH.MNG.RD", Step = "field is readable by the host", Kinds = s_failures, NeverFails = true, Reason = "every modelled field of a TD can be read by the host" },
    ];

    // Between calls the KOT and the write-back mutex are free: only calls that overlap can meet there.
    private static IEnumerable<ShadowClaim> NobodyElseHoldsIt()
    {
        foreach (string step in (string[])["KOT EXCLUSIVE", "KOT SHARED"])
        {
            yield return new() { Leaf = "*", Step = step, Behind = [new("", "KOT")], Kinds = [MutantKind.LockDropped, MutantKind.LockWeakened, .. s_failures] };
        }

        yield return new() { Leaf = "TDH.PHYMEM.CACHE.WB", Step = "write-back mutex of the package", Behind = [new("", "write-back mutex")], Kinds = [MutantKind.LockDropped, .. s_failures] };
    }

    private static IEnumerable<ShadowClaim> CheckedWhenItWasCreated()
    {
        StepName[] created = [new("TDH.VP.CREATE", "TDCS pages >= 6"), new("TDH.VP.CREATE", "OP_STATE in")];
        foreach (string leaf in (string[])["TDH.VP.ADDCX", "TDH.VP.INIT", "TDH.VP.INIT (version 1)", "TDH.VP.ENTER", "TDH.VP.RD"])
        {
            yield return new() { Leaf = leaf, Step = "TDCS pages >= 6", Behind = created, Kinds = [MutantKind.ThresholdShifted, .. s_failures] };
            yield return new() { Leaf = leaf, Step = "OP_STATE in", Fault = "set with UNINITIALIZED", Behind = [created[1]], Kinds = [MutantKind.SetAltered] };
        }

        yield return new() { Leaf = "TDH.VP.RD", Step = "OP_STATE in", Behind = [created[1]], Kinds = s_failures };
        foreach (string leaf in (string[])["TDH.VP.ADDCX", "TDH.VP.INIT", "TDH.VP.INIT (version 1)"])
        {
            yield return new()
            {
                Leaf = leaf, Step = "vCPU state is", Fault = "set with VCPU_ACTIVE", Kinds = [MutantKind.SetAltered],
                Behind = [new("", "TDVPR PAMT 4 KiB entry EXCLUSIVE"), new("", "OP_STATE in")],
            };
        }

        yield return new()
        {
            Leaf = "TDH.MNG.ADDCX", Step = "7th or later page", Fault = "threshold -1", Kinds = [MutantKind.ThresholdShifted],
            Behind = [new("TDH.MNG.INIT", "TDCS pages >= 6"), new("TDH.MNG.INIT", "TDCS pages >= 6 + NUM_L2_VMS")],
        };
        yield return new()
        {
            Leaf = "TDH.MNG.KEY.CONFIG", Step = "the key is not yet configured", Kinds = s_failures, Behind = [new("", "lifecycle is TD_HKID_ASSIGNED")],
        };
    }

    private static IEnumerable<ShadowClaim> DoneTwice()
    {
        MutantKind[] dropped = [MutantKind.EffectDropped];
        foreach (string leaf in (string[])["TDG.MEM.PAGE.ACCEPT", "TDG.MEM.PAGE.ATTR.RD", "TDG.MEM.PAGE.ATTR.WR"])
            yield return new() { Leaf = leaf, Step = "VM exit: RIP differs", Kinds = dropped, Behind = [s_dispatcherReset] };
        yield return new() { Leaf = "TDCALL dispatcher", Step = "VM exit: RIP differs", Kinds = dropped, Behind = [new("TDG.MEM.PAGE.ACCEPT", "VM exit: RIP differs")] };
        foreach (string leaf in (string[])["TDG.VP.INFO", "TDG.VP.VEINFO.GET"])
        {
            yield return new()
            {
                Leaf = leaf, Step = "VM exit: RIP differs", Kinds = dropped,
                Behind = [s_dispatcherReset, new("TDG.VP.VMCALL", "VM exit: RIP differs")],
            };
        }

        yield return new() { Leaf = "TDH.MNG.INIT", Step = "vCPU counts = 0", Kinds = dropped, Reason = "TDH.MNG.CREATE step 'new TD' made them 0, and no step counts before TDH.MNG.INIT" };
        yield return new() { Leaf = "TDH.MNG.INIT", Step = "REFCOUNT = {0, 0}", Kinds = dropped, Reason = "TDH.MNG.CREATE step 'new TD' made them 0, and no step counts before TDH.MNG.INIT" };
        yield return new()
        {
            Leaf = "guest memory access", Step = "fault counter below the threshold", Fault = "threshold +1", Kinds = [MutantKind.ThresholdShifted],
            Reason = "guest memory access step 'fault counter at the threshold' is the only reader of the counter, and takes any value from the threshold on",
        };
    }

    private static IEnumerable<ShadowClaim> ShowsInNoRegister()
    {
        MutantKind[] dropped = [MutantKind.EffectDropped];
        const string Invept = "no answer depends on INVEPT: the laws about the ghost TLB judge it";
        yield return new() { Leaf = "TDH.VP.ENTER", Step = "INVEPT for every VM", Kinds = dropped, Reason = Invept };
        yield return new() { Leaf = "TDH.VP.FLUSH", Step = "INVEPT for every VM", Kinds = dropped, Reason = Invept };
        yield return new() { Leaf = "TDH.VP.ENTER", Step = "LP: last vCPU = this one", Kinds = dropped, Reason = Invept };
        yield return new() { Leaf = "TDH.VP.FLUSH", Step = "this LP forgets the last vCPU", Kinds = dropped, Reason = Invept };
        yield return new() { Leaf = "TD exit", Step = "last TD exit =", Kinds = dropped, Reason = "TDH.VP.ENTER step 'hint bit 52' is the only reader, and asks for ASYNC_TRAP, which no modelled TD exit is" };
        const string Handles = "handles of TDs, vCPUs and S-EPT tables are the model's own: no answer shows one, and one that is not given back is only not used again";
        yield return new() { Leaf = "*", Step = "S-EPT page is gone", Kinds = dropped, Reason = Handles };
        yield return new() { Leaf = "*", Step = "what the page held is gone", Kinds = dropped, Reason = Handles };
        yield return new()
        {
            Leaf = "TDG.VP.VEINFO.GET", Step = "RCX = exit reason", Kinds = [MutantKind.EffectDropped, MutantKind.OutputAltered],
            Reason = "the guest's #VE handler asks at once, and what it learns reaches no one (Hardware/README.md, \"The vCPU's conventions\")",
        };
        yield return new()
        {
            Leaf = "TDG.VP.VEINFO.GET", Step = "success status altered", Kinds = [MutantKind.SuccessAltered],
            Reason = "the guest's #VE handler asks at once, and what it learns reaches no one (Hardware/README.md, \"The vCPU's conventions\")",
        };
        yield return new() { Leaf = "TDH.VP.ENTER", Step = "success status altered", Kinds = [MutantKind.SuccessAltered], Reason = "RAX after the guest ran is the exit reason, from the TD exit" };
    }

    private static IEnumerable<ShadowClaim> OutOfScope()
    {
        const string Version1 = "version 1 of the RD leaves is not modelled, so it is never called";
        foreach (string leaf in (string[])["TDH.MNG.RD", "TDH.VP.RD"])
        {
            yield return new() { Leaf = leaf, Step = "version 0 (version 1 is not modelled)", Kinds = s_failures, NeverFails = true, Reason = Version1 };
            yield return new() { Leaf = leaf, Step = "version <= 1", Fault = "threshold -1", Kinds = [MutantKind.ThresholdShifted], Reason = Version1 };
        }

        yield return new() { Leaf = "TDH.MNG.INIT", Step = "NUM_L2_VMS is 0, or this TD is not modelled", Kinds = s_failures, NeverFails = true, Reason = "a TD with L2 VMs is not modelled, so none is created" };
    }
}
