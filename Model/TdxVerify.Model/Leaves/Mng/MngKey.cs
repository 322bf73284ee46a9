using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>TDH.MNG.KEY.CONFIG, KEY.FREEID, KEY.RECLAIMID and TDH.MNG.VPFLUSHDONE: the life of a TD's private key.</summary>
internal static class MngKey<S>
    where S : struct, IState
{
    public static Leaf<S> DeclareConfig() => new LeafBuilder<S>(LeafId.Of(HostLeaf.TDH_MNG_KEY_CONFIG))
        .Page(PageSlot.Tdr, Register.Rcx, "TDR", LockMode.Exclusive, PageType.PT_TDR)
        .NotFatal()
        .Lifecycle()
        .Check("the key is not yet configured on this package", KeyIsNotConfigured, new Failure(Status.TDX_KEY_CONFIGURED))
        .Choice("key programming device is free", ChoicePoint.KeyProgrammingBusy, Failure.Of(Status.TDX_OPERAND_BUSY, OperandId.KET))
        .Choice("key programming device has entropy", ChoicePoint.KeyGenerationFailed, new Failure(Status.TDX_KEY_GENERATION_FAILED))
        .Effect("the key is configured on this package", SetConfigured)
        .Effect("configured on all packages: lifecycle = TD_KEYS_CONFIGURED", SetKeysConfigured)
        .ReleasePage(PageSlot.Tdr, "TDR")
        .Build();

    public static Leaf<S> DeclareVpFlushDone() => new LeafBuilder<S>(LeafId.Of(HostLeaf.TDH_MNG_VPFLUSHDONE))
        .Page(PageSlot.Tdr, Register.Rcx, "TDR", LockMode.Exclusive, PageType.PT_TDR)
        .Lock("KOT EXCLUSIVE", LockId.Kot, LockMode.Exclusive, KotSteps<S>.LockExclusive, Failure.Of(Status.TDX_OPERAND_BUSY, OperandId.KOT))
        .Lifecycle()
        .Check("once initialised: no vCPU is associated", NoVcpuIsAssociated, new Failure(Status.TDX_FLUSHVP_NOT_DONE))
        .Effect("KOT write-back bitmap = all packages", SetWritebackBitmap)
        .Effect("lifecycle = TD_BLOCKED", SetBlocked)
        .Effect("KOT entry = HKID_FLUSHED", SetFlushed)
        .Release("KOT", LockId.Kot, KotSteps<S>.Release)
        .ReleasePage(PageSlot.Tdr, "TDR")
        .Build();

    public static Leaf<S> DeclareFreeId() => new LeafBuilder<S>(LeafId.Of(HostLeaf.TDH_MNG_KEY_FREEID))
        .Page(PageSlot.Tdr, Register.Rcx, "TDR", LockMode.Exclusive, PageType.PT_TDR)
        .Lifecycle()
        .Lock("KOT EXCLUSIVE", LockId.Kot, LockMode.Exclusive, KotSteps<S>.LockExclusive, Failure.Of(Status.TDX_OPERAND_BUSY, OperandId.KOT))
        .Check("KOT write-back bitmap is 0", IsWrittenBack, new Failure(Status.TDX_WBCACHE_NOT_COMPLETE))
        .Effect("KOT entry = HKID_FREE", SetFree)
        .Effect("lifecycle = TD_TEARDOWN", SetTeardown)
        .Release("KOT", LockId.Kot, KotSteps<S>.Release)
        .ReleasePage(PageSlot.Tdr, "TDR")
        .Build();

    public static Leaf<S> DeclareReclaimId() => new LeafBuilder<S>(LeafId.Of(HostLeaf.TDH_MNG_KEY_RECLAIMID))
        .Read("nothing is checked and nothing is done", Nothing)
        .Build();

    private static int Hkid(ref S s, ref Call c) => (int)s.Td(c.Td, TdField.Hkid);

    private static ulong AllPackages(ref S s) => (1UL << s.Platform.Packages) - 1;

    private static bool KeyIsNotConfigured(ref S s, ref Call c, int arg) => (s.Td(c.Td, TdField.KeysConfigured) & 1) == 0;

    [Visible]
    private static void SetConfigured(ref S s, ref Call c, int arg) =>
        s.SetTd(c.Td, TdField.KeysConfigured, s.Td(c.Td, TdField.KeysConfigured) | 1);

    [Visible]
    private static void SetKeysConfigured(ref S s, ref Call c, int arg)
    {
        if (s.Td(c.Td, TdField.KeysConfigured) == AllPackages(ref s))
            s.SetTd(c.Td, TdField.Lifecycle, (ulong)TdMachine.Lifecycle.To(Trigger.TDH_MNG_KEY_CONFIG));
    }

    private static bool NoVcpuIsAssociated(ref S s, ref Call c, int arg) =>
        s.Td(c.Td, TdField.TdcsPages) < TdSteps<S>.MinimumTdcsPages
        || (OpState)s.Td(c.Td, TdField.OpState) == OpState.UNINITIALIZED
        || s.Td(c.Td, TdField.AssociatedVcpus) == 0;

    private static void SetWritebackBitmap(ref S s, ref Call c, int arg) =>
        s.SetKey(Hkid(ref s, ref c), KeyField.WritebackBitmap, AllPackages(ref s));

    [Visible]
    private static void SetBlocked(ref S s, ref Call c, int arg) =>
        s.SetTd(c.Td, TdField.Lifecycle, (ulong)TdMachine.Lifecycle.To(Trigger.TDH_MNG_VPFLUSHDONE));

    private static void SetFlushed(ref S s, ref Call c, int arg) =>
        s.SetKey(Hkid(ref s, ref c), KeyField.State, (ulong)TdMachine.Key.To(Trigger.TDH_MNG_VPFLUSHDONE));

    private static bool IsWrittenBack(ref S s, ref Call c, int arg) => s.Key(Hkid(ref s, ref c), KeyField.WritebackBitmap) == 0;

    private static void SetFree(ref S s, ref Call c, int arg) =>
        s.SetKey(Hkid(ref s, ref c), KeyField.State, (ulong)TdMachine.Key.To(Trigger.TDH_MNG_KEY_FREEID));

    [Visible]
    private static void SetTeardown(ref S s, ref Call c, int arg) =>
        s.SetTd(c.Td, TdField.Lifecycle, (ulong)TdMachine.Lifecycle.To(Trigger.TDH_MNG_KEY_FREEID));

    private static void Nothing(ref S s, ref Call c, int arg)
    {
    }
}
