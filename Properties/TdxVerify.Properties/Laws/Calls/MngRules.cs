using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Properties.Laws.Calls;

/// <summary>TDH.MNG.*: the ends of the leaves that make, key and end a TD (facts/checks.md), TDH.MNG.INIT apart.</summary>
internal static class MngRules
{
    public static LeafRules Create() => new LeafRules("TDH.MNG.CREATE")
        .Check(
            LeafRules.Error(Status.TDX_OPERAND_INVALID, Register.Rdx), "RDX is not a private HKID",
            c => c.In.Rdx < (ulong)c.Platform.PrivateHkidFirst || c.In.Rdx >= (ulong)(c.Platform.HkidFirst + c.Platform.HkidCount))
        .NewPage(Register.Rcx)
        .Lock(LeafRules.Error(Status.TDX_OPERAND_BUSY, OperandId.KOT), "the KOT refuses an exclusive lock", c => c.S.Global(GlobalField.KotLock) != 0)
        .Check(Status.TDX_HKID_NOT_FREE, "the HKID is not HKID_FREE", c => (HkidState)c.S.Key((int)c.In.Rdx, KeyField.State) != HkidState.HKID_FREE)
        .Choice(ChoicePoint.NoEntropy, Status.TDX_RND_NO_ENTROPY, "there was no entropy for the TD UUID");

    public static LeafRules KeyConfig() => new LeafRules("TDH.MNG.KEY.CONFIG")
        .Tdr(Register.Rcx, exclusive: true)
        .NotFatal()
        .Check(Status.TDX_LIFECYCLE_STATE_INCORRECT, "the lifecycle is not TD_HKID_ASSIGNED", c => !IsLifecycle(c, TdLifecycle.TD_HKID_ASSIGNED))
        .Check(Status.TDX_KEY_CONFIGURED, "the key is configured on this package", c => (c.Of(TdField.KeysConfigured) & 1) != 0)
        .Choice(ChoicePoint.KeyProgrammingBusy, LeafRules.Error(Status.TDX_OPERAND_BUSY, OperandId.KET), "the key programming device was busy")
        .Choice(ChoicePoint.KeyGenerationFailed, Status.TDX_KEY_GENERATION_FAILED, "there was no entropy for the key");

    public static LeafRules AddCx() => new LeafRules("TDH.MNG.ADDCX")
        .Tdr(Register.Rdx, exclusive: true)
        .NotFatal()
        .KeysConfigured()
        .Check(Status.TDX_TDCX_NUM_INCORRECT, "9 TDCS pages were added", c => c.Of(TdField.TdcsPages) >= 9)
        .NewPage(Register.Rcx)
        .Choice(ChoicePoint.NoEntropy, Status.TDX_RND_NO_ENTROPY, "there was no entropy for the migration key", c => c.Of(TdField.TdcsPages) == 5)
        .Check(
            Status.TDX_OP_STATE_INCORRECT, "OP_STATE is not UNINITIALIZED for a 7th or later page",
            c => c.Of(TdField.TdcsPages) >= 6 && c.OpState != OpState.UNINITIALIZED);

    public static LeafRules VpFlushDone() => new LeafRules("TDH.MNG.VPFLUSHDONE")
        .Tdr(Register.Rcx, exclusive: true)
        .Lock(LeafRules.Error(Status.TDX_OPERAND_BUSY, OperandId.KOT), "the KOT refuses an exclusive lock", c => c.S.Global(GlobalField.KotLock) != 0)
        .Check(
            Status.TDX_LIFECYCLE_STATE_INCORRECT, "the lifecycle is neither TD_HKID_ASSIGNED nor TD_KEYS_CONFIGURED",
            c => !IsLifecycle(c, TdLifecycle.TD_HKID_ASSIGNED) && !IsLifecycle(c, TdLifecycle.TD_KEYS_CONFIGURED))
        .Check(
            Status.TDX_FLUSHVP_NOT_DONE, "a vCPU is still associated with a logical processor",
            c => c.Of(TdField.TdcsPages) >= 6 && c.OpState != OpState.UNINITIALIZED && c.Of(TdField.AssociatedVcpus) != 0);

    public static LeafRules KeyFreeId() => new LeafRules("TDH.MNG.KEY.FREEID")
        .Tdr(Register.Rcx, exclusive: true)
        .Check(Status.TDX_LIFECYCLE_STATE_INCORRECT, "the lifecycle is not TD_BLOCKED", c => !IsLifecycle(c, TdLifecycle.TD_BLOCKED))
        .Lock(LeafRules.Error(Status.TDX_OPERAND_BUSY, OperandId.KOT), "the KOT refuses an exclusive lock", c => c.S.Global(GlobalField.KotLock) != 0)
        .Check(
            Status.TDX_WBCACHE_NOT_COMPLETE, "the cache of some package is still to be written back",
            c => c.S.Key((int)c.Of(TdField.Hkid), KeyField.WritebackBitmap) != 0);

    public static LeafRules KeyReclaimId() => new("TDH.MNG.KEY.RECLAIMID");

    public static LeafRules Rd(ModuleProfile profile) => new LeafRules("TDH.MNG.RD")
        .Presets(Register.R8)
        .Check(LeafRules.Error(Status.TDX_OPERAND_INVALID, Register.Rax), "the version is above 1", c => c.Version > 1)
        .Tdr(Register.Rcx, exclusive: false)
        .Usable(locksOpState: true, OpState.INITIALIZED, OpState.RUNNABLE)
        .Check(Status.TDX_METADATA_FIELD_ID_INCORRECT, "the field id has reserved or list bits", c => MetadataFields.IsMalformed(c.In.Rdx))
        .Check(Status.TDX_METADATA_FIELD_ID_INCORRECT, "the field id is unknown", c => MetadataFields.Find(c.In.Rdx, ofVcpu: false, profile) == MetadataField.None)
        .Check(Status.TDX_METADATA_FIELD_NOT_READABLE, "the field is not readable", c => MetadataFields.Find(c.In.Rdx, ofVcpu: false, profile) == MetadataField.Hidden);

    private static bool IsLifecycle(CallFacts c, TdLifecycle lifecycle) => (TdLifecycle)c.Of(TdField.Lifecycle) == lifecycle;
}
