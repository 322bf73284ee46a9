using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>The status by which each choice point shows that it failed.</summary>
public static class ChoiceStatuses
{
    /// <summary>The choice point that gives this status; null where none does.</summary>
    public static ChoicePoint? Find(ulong status) => !new StatusCode(status).IsError ? null : status switch
    {
        Status.TDX_RND_NO_ENTROPY => ChoicePoint.NoEntropy,
        Status.TDX_OPERAND_BUSY + (uint)OperandId.KET => ChoicePoint.KeyProgrammingBusy,
        Status.TDX_KEY_GENERATION_FAILED => ChoicePoint.KeyGenerationFailed,
        Status.TDX_LIMIT_CPUID_MAXVAL_SET => ChoicePoint.CpuidLimited,
        Status.TDX_INCONSISTENT_MSR + 0x3B => ChoicePoint.TscAdjustChanged,
        Status.TDX_TSC_ROLLBACK => ChoicePoint.TscRollback,
        Status.TDX_INCORRECT_MSR_VALUE + 0x1A0 => ChoicePoint.MonitorDisabled,
        Status.TDX_OPERAND_INVALID + (uint)OperandId.CPUID_CONFIG => ChoicePoint.CpuidConfigurationRefused,
        Status.TDX_INCORRECT_MSR_VALUE + 0x10A => ChoicePoint.CpuidConfigurationRefused,
        _ => null,
    };

    /// <summary>The same as a set, one bit: <see cref="ChoicePoint"/>; 0: none.</summary>
    public static uint SetOf(ulong rax) => Find(rax) is { } choice ? 1u << (int)choice : 0;
}
