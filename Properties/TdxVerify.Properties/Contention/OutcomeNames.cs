using TdxVerify.Abi;

namespace TdxVerify.Properties.Contention;

/// <summary>Names of statuses as contention.csv writes them.</summary>
internal static class OutcomeNames
{
    public static string Of(ulong rax) => new StatusCode(rax).Base.Value switch
    {
        Status.TDX_PAGE_SIZE_MISMATCH => $"TDX_PAGE_SIZE_MISMATCH(level{(uint)rax})",
        Status.TDX_PAGE_ALREADY_ACCEPTED => "TDX_PAGE_ALREADY_ACCEPTED",
        _ => new StatusCode(rax).ToString(),
    };
}
