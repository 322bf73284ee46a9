using TdxVerify.Model.Mutants;

namespace TdxVerify.Properties.Mutants;

/// <summary>All claims about equivalent mutants.</summary>
internal static class ShadowClaims
{
    private static readonly MutantKind[] s_failures =
        [MutantKind.CheckDropped, MutantKind.StatusAltered, MutantKind.OperandAltered, MutantKind.FailureAltered, MutantKind.StepsSwapped, MutantKind.UndoDropped];

    private const string Overlapping = "released at the end of every call: only overlapping calls can tell";

    private static readonly StepName s_dispatcherReset = new("TDCALL dispatcher", "VM exit: RIP differs");

    public static IReadOnlyList<ShadowClaim> All { get; } =
    [
        .. NothingSetsIt(), .. NobodyElseHoldsIt(), .. CheckedWhenItWasCreated(), .. CheckedBefore(), .. NeverInOneCall(), .. NothingToDrop(), .. DoneTwice(),
        .. ShowsInNoRegister(), .. OutOfScope(),
    ];

    private static IEnumerable<ShadowClaim> NothingSetsIt() =>
    [
        new() { Leaf = "*", Step = "TDR.FATAL is clear", Kinds = s_failures, NeverFails = true, Reason = "no modelled step sets TDR.FATAL: a machine check or an integrity error does" },
        new() { Leaf = "*", Step = "(else the module halts)", Kinds = s_failures, NeverFails = true, Reason = "only a call that overlaps can fail it: TDH.MEM.PAGE.AUG between its writes of the S-EPT entry and of the PAMT" },
        new() { Leaf = "*", Step = "vCPU state is", Fault = "VCPU_DISABLED", Kinds = [MutantKind.SetAltered], Reason = "no modelled step sets VCPU_DISABLED: a non-recoverable TD exit does" },
    ];

    // Between calls the KOT and the write-back mutex are free: only calls that overlap can meet there.
    private static IEnumerable<ShadowClaim> NobodyElseHoldsIt()
    {
        foreach (string step in (string[])["KOT EXCLUSIVE", "KOT SHARED"])
        {
            yield return new() { Leaf = "*", Step = step, Behind = [new("", "KOT")], Reason = Overlapping, Kinds = [MutantKind.LockDropped, MutantKind.LockWeakened, .. s_failures] };
        }

        yield return new() { Leaf = "TDH.PHYMEM.CACHE.WB", Step = "KOT SHARED", Behind = [new("TDH.MNG.CREATE", "KOT")], Reason = Overlapping, Kinds = s_failures };
        yield return new()
        {
            Leaf = "TDH.PHYMEM.CACHE.WB", Step = "KOT SHARED", Behind = [new("", "write-back mutex"), new("TDH.MNG.CREATE", "KOT")], Reason = Overlapping, Kinds = [MutantKind.StepsSwapped],
        };

        yield return new() { Leaf = "TDH.PHYMEM.CACHE.WB", Step = "write-back mutex of the package", Behind = [new("", "write-back mutex")], Reason = Overlapping, Kinds = [MutantKind.LockDropped, .. s_failures] };
        foreach (string step in (string[])["S-EPT tree SHARED", "TD epoch SHARED", "KOT SHARED"])
        {
            yield return new()
            {
                Leaf = "*", Step = step, Fault = "leaves no trace", Kinds = [MutantKind.LockWeakened],
                Reason = "the exclusive release, which zeroes the word, readers left behind included; every attempt before it is refused anyway",
            };
        }
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
        foreach (string leaf in (string[])["TDH.VP.ADDCX", "TDH.VP.INIT"])
        {
            yield return new()
            {
                Leaf = leaf, Step = "vCPU state is", Fault = "set with VCPU_ACTIVE", Kinds = [MutantKind.SetAltered],
                Behind = [new("", "TDVPR PAMT 4 KiB entry EXCLUSIVE"), new("", "OP_STATE in")],
            };
        }

        yield return new()
        {
            Leaf = "TDH.VP.INIT (version 1)", Step = "vCPU state is", Fault = "set with VCPU_ACTIVE", Kinds = [MutantKind.SetAltered],
            Behind = [new("", "TDVPR PAMT 4 KiB entry EXCLUSIVE"), new("", "owner TDR PAMT 4 KiB entry EXCLUSIVE"), new("", "OP_STATE in")],
        };

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

    private static IEnumerable<ShadowClaim> CheckedBefore()
    {
        foreach (string state in (string[])["NL_MAPPED", "NL_BLOCKED"])
        {
            foreach (string leaf in (string[])["TDH.MEM.PAGE.ADD", "TDH.MEM.PAGE.RELOCATE"])
                yield return new() { Leaf = leaf, Step = "entry state in", Fault = $"set with {state}", Kinds = [MutantKind.SetAltered], Behind = [new("", "RCX: reserved bits 0, level from 0 to 0")] };
        }

        foreach (string state in (string[])["NL_BLOCKED", "BLOCKED", "PENDING_BLOCKED"])
        {
            yield return new()
            {
                Leaf = "TDH.MEM.RANGE.BLOCK", Step = "entry state in", Fault = $"set with {state}", Kinds = [MutantKind.SetAltered],
                Behind = [new("", "entry is not blocked already")],
            };
        }

        yield return new()
        {
            Leaf = "TDH.MNG.VPFLUSHDONE", Step = "no vCPU is associated", Kinds = [MutantKind.StepsSwapped], Behind = [new("TDH.VP.RD", "lifecycle is TD_KEYS_CONFIGURED")],
        };
        yield return new()
        {
            Leaf = "guest memory access", Step = "GPA is not shared", Kinds = [MutantKind.StepsSwapped],
            Behind = [new("TDH.MEM.SEPT.ADD", "GPA is private"), new("TDH.MEM.PAGE.ADD", "GPA is private")],
        };
    }

    private static IEnumerable<ShadowClaim> NeverInOneCall()
    {
        foreach ((string leaf, string step, string reason) in ((string, string, string)[])
            [
                ("TDH.MNG.ADDCX", "6th page: migration key generated / 7th or later page", "the number of TDCS pages, 5 for the one and 6 or more for the other"),
                ("TDH.MNG.INIT", "TDCS pages >= 6 / OP_STATE in", "the two steps themselves: no TD with fewer pages gets out of UNINITIALIZED, and pages go only in TD_TEARDOWN"),
                ("TDH.VP.INIT*", "TDVPS pages >= 6 / vCPU state is", "the two steps themselves: no vCPU with fewer pages gets out of VCPU_UNINITIALIZED, and pages go only in TD_TEARDOWN"),
                ("TDH.PHYMEM.CACHE.WB", "start: at least one HKID is HKID_FLUSHED / resume", "RCX, 0 for the one and 1 for the other"),
                (
                    "TDH.PHYMEM.PAGE.RECLAIM", "promoted to EXCLUSIVE if it is PT_REG / PAMT",
                    "the type of the entry: PT_REG for the one, which ends the walk, and another for the next entry's lock"
                ),
                (
                    "TDG.MEM.PAGE.ACCEPT", "entry is FREE, or the unlocked copy was a leaf / entry is not guest-accessible",
                    "its step 9, leaf = the unlocked copy is a leaf: only overlapping calls can tell, which map a large page between the unlocked walk and the lock"
                ),
            ])
        {
            yield return new() { Leaf = leaf, Step = step, Kinds = [MutantKind.StepsSwapped], NeverBoth = true, Reason = reason };
        }
    }

    private static IEnumerable<ShadowClaim> NothingToDrop()
    {
        foreach (string page in (string[])["S-EPT page", "old page"])
        {
            foreach (string size in (string[])["2 MiB", "1 GiB"])
            {
                yield return new()
                {
                    Leaf = "*", Step = $"release dropped: {page} PAMT {size} entry", Kinds = [MutantKind.ReleaseDropped], NeverActs = true,
                    Reason = $"{page} PAMT entry EXCLUSIVE (implicit), which takes the entry at the page's own size alone: 4 KiB",
                };
            }
        }
    }

    private static IEnumerable<ShadowClaim> DoneTwice()
    {
        MutantKind[] dropped = [MutantKind.EffectDropped];
        foreach (string leaf in (string[])["TDG.MEM.PAGE.ACCEPT", "TDG.MEM.PAGE.ATTR.RD", "TDG.MEM.PAGE.ATTR.WR"])
            yield return new() { Leaf = leaf, Step = "VM exit: RIP differs", Kinds = dropped, Behind = [s_dispatcherReset] };
        yield return new()
        {
            Leaf = "TDCALL dispatcher", Step = "VM exit: RIP differs", Kinds = dropped,
            Behind =
            [
                .. ((string[])["TDG.MEM.PAGE.ACCEPT", "TDG.MEM.PAGE.ATTR.RD", "TDG.MEM.PAGE.ATTR.WR", "TDG.VP.VMCALL"]).Select(leaf => new StepName(leaf, "VM exit: RIP differs")),
            ],
        };
        foreach (string leaf in (string[])["TDG.VP.INFO", "TDG.VP.VEINFO.GET"])
        {
            yield return new()
            {
                Leaf = leaf, Step = "VM exit: RIP differs", Kinds = dropped,
                Behind = [s_dispatcherReset, new("TDG.VP.VMCALL", "VM exit: RIP differs")],
            };
        }

        yield return new()
        {
            Leaf = "TDG.VP.VEINFO.GET", Step = "VM exit: RIP differs", Kinds = dropped,
            Behind = [new("guest memory access", "VM exit: RIP differs"), new("TDG.VP.VMCALL", "VM exit: RIP differs")],
        };
        yield return new()
        {
            Leaf = "TDH.VP.INIT*", Step = "guest RIP = reset vector", Kinds = dropped,
            Reason = "guest memory access step 'VM exit: RIP differs', the only reader: at the first entry the fault counter and the list that it resets are empty",
        };
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

        yield return new() { Leaf = "TDH.MNG.INIT", Step = "CPUID configuration (bytes 256..447) taken as legal", Kinds = s_failures, NeverFails = true, Reason = "a CPUID configuration that depends on the processor is not modelled, so none is written" };
        yield return new() { Leaf = "TDH.MNG.INIT", Step = "NUM_L2_VMS is 0, or this TD is not modelled", Kinds = s_failures, NeverFails = true, Reason = "a TD with L2 VMs is not modelled, so none is created" };
    }
}
