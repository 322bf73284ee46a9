using TdxVerify.Abi;

namespace TdxVerify.Reference;

/// <summary>How leaves name what they answer.</summary>
internal static class Answer
{
    public const ulong Success = Status.TDX_SUCCESS;

    /// <summary>
    /// No status of the module: the call is valid and this implementation does not know what it does. The port says
    /// so instead of guessing.
    /// </summary>
    public const ulong NotModelled = Status.UNINITIALIZE_ERROR;

    public static ulong Invalid(OperandId operand) => Status.TDX_OPERAND_INVALID | (uint)operand;

    public static ulong Busy(OperandId operand) => Status.TDX_OPERAND_BUSY | (uint)operand;
}
