using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>Finds a vCPU by its TDVPR page.</summary>
public static class VcpuLookup<S>
    where S : struct, IState
{
    /// <summary>The vCPU whose TDVPR page this is; false: there is none.</summary>
    public static bool TryFind(ref S s, ulong tdvprHpa, out int vcpu)
    {
        vcpu = -1;
        ulong page = (tdvprHpa - s.Platform.PageBase) >> Hpa.PageShift;
        if (page >= (ulong)s.Platform.PageCount || (PageType)s.Pamt(new PamtRef(0, (int)page), PamtField.Type) != PageType.PT_TDVPR)
            return false;
        vcpu = s.Holder((int)page);
        return true;
    }
}
