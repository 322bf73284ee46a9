using TdxVerify.Abi;

namespace TdxVerify.Reference;

/// <summary>
/// Memory accesses of the guest and what the module makes of their EPT violations (facts/zerostep.md, facts/guest.md).
/// There is no TLB: each access walks the S-EPT as it is.
/// </summary>
internal static unsafe class GuestMemory
{
    private const ulong PendingViolation = 6;
    private const int EntryPermissionsShift = 3;

    /// <summary>Does an access. True: it left to the host.</summary>
    public static bool Access(TdxModule module, LogicalProcessor lp, GuestProgram program, out RegisterFile host)
    {
        host = default;
        ulong gpa = program.Operation.Gpa;
        var access = (ulong)program.Operation.Access;
        int sharedBit = Gpa.SharedBit(lp.Tdcs->Gpaw);
        lp.Vcpu->Rip = program.Operation.Rip;

        if (gpa >> (sharedBit + 1) != 0)
        {
            // #PF, by way of a VM exit.
            ZeroStep.OnVmExit(lp);
            program.Drop(virtualizationException: false);
            return false;
        }

        if (gpa >> sharedBit != 0)
        {
            // Nothing is mapped shared: the processor itself delivers #VE.
            RaiseVe(lp, access, gpa);
            program.Drop(virtualizationException: true);
            return false;
        }

        if (Translates(module, lp.Tdcs, gpa, access, out ulong permissions))
        {
            program.Complete();
            return false;
        }

        ZeroStep.OnVmExit(lp);
        return Violation(module, lp, program, gpa, access | (permissions << EntryPermissionsShift), out host);
    }

    /// <summary>The processor's walk. <paramref name="permissions"/>: those of all entries used, combined.</summary>
    private static bool Translates(TdxModule module, Tdcs* tdcs, ulong gpa, ulong access, out ulong permissions)
    {
        permissions = SeptEntry.PermissionsMask;
        ulong tableHpa = tdcs->SeptRootHpa;
        for (int level = tdcs->RootLevel; ; level--)
        {
            ulong* table = (ulong*)module.Memory.Find(tableHpa);
            if (table == null)
                throw new ModuleHaltException();
            ulong entry = Volatile.Read(ref table[SeptLevel.Index(gpa, level)]);
            permissions &= entry;
            if ((entry & SeptEntry.PermissionsMask) == 0)
                return false;
            if (level == SeptLevel.Page4K || SeptEntry.IsLeaf(entry))
                return (permissions & access) == access;
            tableHpa = SeptEntry.TableHpa(entry);
        }
    }

    /// <summary>
    /// The module's part. It walks again: what the second walk finds decides whether the page counts as pending.
    /// </summary>
    private static bool Violation(
        TdxModule module, LogicalProcessor lp, GuestProgram program, ulong gpa, ulong qualification,
        out RegisterFile host)
    {
        host = default;
        int level = SeptLevel.Page4K;
        SeptWalk.Walk(module, lp.Tdcs, gpa, ref level, out ulong entry);
        ulong extended = 0;
        if (SeptStates.Of(entry).Has(SeptTraits.PendingAcceptable))
        {
            if (!lp.Tdcs->PendingVeDisable)
            {
                RaiseVe(lp, qualification, gpa);
                program.Drop(virtualizationException: true);
                return false;
            }

            extended = PendingViolation;
        }

        ZeroStep.Log(lp, gpa);
        TdExit.EptViolation(lp, gpa, qualification, extended, out host);
        return true;
    }

    private static void RaiseVe(LogicalProcessor lp, ulong qualification, ulong gpa)
    {
        lp.Vcpu->VeInfoValid = true;
        lp.Vcpu->VeInfo = new VeInfo
        {
            ExitReason = (uint)TdExit.EptViolationReason,
            Qualification = qualification,
            Gla = gpa,
            Gpa = gpa,
        };
    }
}
