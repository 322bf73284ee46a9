using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>TDH.MNG.RD and TDH.VP.RD, version 0: the metadata fields that the state holds.</summary>
internal static class MetadataRead<S>
    where S : struct, IState
{
    public static Leaf<S> DeclareMngRd(ModuleProfile profile) => new LeafBuilder<S>(LeafId.Of(HostLeaf.TDH_MNG_RD))
        .Preset(Register.R8)
        .Effect("version is not 0: RDX = all ones (no next field)", ReturnNoNextField, writes: Register.Rdx)
        .VersionAtMost1()
        .Page(PageSlot.Tdr, Register.Rcx, "TDR", LockMode.Shared, PageType.PT_TDR)
        .TdIsUsable()
        .OpState()
        .Check("version 0 (version 1 is not modelled)", IsVersion0, Failure.Of(Status.TDX_OPERAND_INVALID, Register.Rax))
        .Check("field id: reserved bits, last element and last field are 0", FieldIdIsLegal, new Failure(Status.TDX_METADATA_FIELD_ID_INCORRECT))
        .Check("field id known in this context", TdFieldIsKnown, new Failure(Status.TDX_METADATA_FIELD_ID_INCORRECT), (int)profile)
        .Check("field is readable by the host", TdFieldIsReadable, new Failure(Status.TDX_METADATA_FIELD_NOT_READABLE), (int)profile)
        .Effect("R8 = value of the field", ReadTdField, writes: Register.R8)
        .ReleaseOpState()
        .ReleasePage(PageSlot.Tdr, "TDR")
        .Build();

    public static Leaf<S> DeclareVpRd() => new LeafBuilder<S>(LeafId.Of(HostLeaf.TDH_VP_RD))
        .Preset(Register.R8)
        .Effect("version is not 0: RDX = all ones (no next field)", ReturnNoNextField, writes: Register.Rdx)
        .VersionAtMost1()
        .Page(PageSlot.Tdvpr, Register.Rcx, "TDVPR", LockMode.Shared, PageType.PT_TDVPR)
        .OwnerTdr(PageSlot.Tdvpr)
        .TdIsUsable()
        .OpState()
        .TdvpsIsComplete()
        .VcpuState()
        .Check("vCPU is associated with no LP (then with this one) or with this one", VcpuSteps<S>.Associate, new Failure(Status.TDX_VCPU_ASSOCIATED))
        .Effect("a new association: associated vCPUs +1 (stays if a later step fails)", VcpuSteps<S>.CountNewAssociation)
        .Check("version 0 (version 1 is not modelled)", IsVersion0, Failure.Of(Status.TDX_OPERAND_INVALID, Register.Rax))
        .Check("field id: reserved bits, last element and last field are 0", FieldIdIsLegal, new Failure(Status.TDX_METADATA_FIELD_ID_INCORRECT))
        .Check("field id known in this context", VcpuFieldIsKnown, new Failure(Status.TDX_METADATA_FIELD_ID_INCORRECT))
        .Check("field is readable by the host", VcpuFieldIsReadable, new Failure(Status.TDX_METADATA_FIELD_NOT_READABLE))
        .Effect("R8 = value of the field", ReadVcpuField, writes: Register.R8)
        .ReleaseOpState()
        .ReleaseOwnerTdr()
        .ReleasePage(PageSlot.Tdvpr, "TDVPR")
        .Build();

    private static void ReturnNoNextField(ref S s, ref Call c, int arg)
    {
        if (LeafNames.Version(c.In.Rax) != 0)
            c.Out.Rdx = ulong.MaxValue;
    }

    private static bool IsVersion0(ref S s, ref Call c, int arg)
    {
        c.OutOfScope = LeafNames.Version(c.In.Rax) != 0;
        return !c.OutOfScope;
    }

    private static MetadataField Field(ref Call c) => new(c.In.Rdx);

    private static bool FieldIdIsLegal(ref S s, ref Call c, int arg) => Field(ref c).IsLegal;

    [Visible]
    private static bool TdFieldIsKnown(ref S s, ref Call c, int profile) =>
        IsKnown(ref c, Field(ref c).InTd(ref s, c.Td, (ModuleProfile)profile));

    [Visible]
    private static bool TdFieldIsReadable(ref S s, ref Call c, int profile) =>
        Field(ref c).InTd(ref s, c.Td, (ModuleProfile)profile) == MetadataKnowledge.Readable;

    [Visible]
    private static void ReadTdField(ref S s, ref Call c, int arg) =>
        MetadataValue.TryReadTd(ref s, c.Td, Field(ref c), out c.Out.R8);

    private static bool VcpuFieldIsKnown(ref S s, ref Call c, int arg) => IsKnown(ref c, Field(ref c).InVcpu(ref s, c.Td, c.Vcpu));

    private static bool VcpuFieldIsReadable(ref S s, ref Call c, int arg) =>
        Field(ref c).InVcpu(ref s, c.Td, c.Vcpu) == MetadataKnowledge.Readable;

    private static void ReadVcpuField(ref S s, ref Call c, int arg) =>
        MetadataValue.TryReadVcpu(ref s, c.Td, c.Vcpu, Field(ref c), out c.Out.R8);

    private static bool IsKnown(ref Call c, MetadataKnowledge knowledge)
    {
        c.OutOfScope = knowledge == MetadataKnowledge.NotModelled;
        return knowledge is MetadataKnowledge.Readable or MetadataKnowledge.NotReadable;
    }
}
