using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>The host dispatcher's own checks, before every SEAMCALL leaf (facts/checks.md, "Host dispatcher").</summary>
internal static class Dispatcher<S>
    where S : struct, IState
{
    public static Leaf<S> Declare(ModuleProfile profile) => new LeafBuilder<S>(new LeafId("SEAMCALL dispatcher", false, -1))
        .Check("RAX: bits 31:24 and 63:32 are 0", RaxReservedAreZero, Failure.Of(Status.TDX_OPERAND_INVALID, Register.Rax))
        .Check("version is 0, or the leaf has versions", VersionIsAllowed, Failure.Of(Status.TDX_OPERAND_INVALID, Register.Rax), (int)profile)
        .Check("leaf has a handler", LeafIsKnown, Failure.Of(Status.TDX_OPERAND_INVALID, Register.Rax))
        .Build();

    private static bool RaxReservedAreZero(ref S s, ref Call c, int arg) => (c.In.Rax & 0xFFFF_FFFF_FF00_0000) == 0;

    private static bool VersionIsAllowed(ref S s, ref Call c, int profile) =>
        LeafNames.Version(c.In.Rax) == 0 || (HostLeaf)LeafNames.Number(c.In.Rax) switch
        {
            HostLeaf.TDH_MEM_PAGE_PROMOTE or HostLeaf.TDH_MEM_SEPT_ADD or HostLeaf.TDH_MEM_SEPT_REMOVE
                or HostLeaf.TDH_MNG_RD or HostLeaf.TDH_VP_RD => true,
            HostLeaf.TDH_VP_INIT => (ModuleProfile)profile == ModuleProfile.V1_5_05,
            _ => false,
        };

    private static bool LeafIsKnown(ref S s, ref Call c, int arg) => ((HostLeaf)LeafNames.Number(c.In.Rax)).Exists();
}
