namespace TdxVerify.Abi;

/// <summary>
/// A point where the state of the platform does not determine what the module answers: the hardware decides. The
/// judge takes the answer as given, a generator sets it, an explorer tries both.
/// </summary>
public enum ChoicePoint : byte
{
    /// <summary>No choice.</summary>
    None,

    /// <summary>RDSEED has no entropy: TDX_RND_NO_ENTROPY.</summary>
    NoEntropy,

    /// <summary>The key programming device is busy: TDX_OPERAND_BUSY(KET).</summary>
    KeyProgrammingBusy,

    /// <summary>The key programming device has no entropy: TDX_KEY_GENERATION_FAILED.</summary>
    KeyGenerationFailed,

    /// <summary>IA32_MISC_ENABLE boot-NT4 bit is set: TDX_LIMIT_CPUID_MAXVAL_SET.</summary>
    CpuidLimited,

    /// <summary>IA32_TSC_ADJUST changed since the module was initialised: TDX_INCONSISTENT_MSR(0x3b).</summary>
    TscAdjustChanged,

    /// <summary>The TSC is below that of the vCPU's last exit: TDX_TSC_ROLLBACK.</summary>
    TscRollback,

    /// <summary>MONITOR/MWAIT is virtualised and the monitor FSM is disabled: TDX_INCORRECT_MSR_VALUE(0x1a0).</summary>
    MonitorDisabled,

    /// <summary>
    /// The processor lacks something that the CPUID configuration of TD_PARAMS asks for:
    /// TDX_OPERAND_INVALID(CPUID_CONFIG) or TDX_INCORRECT_MSR_VALUE(0x10a). The model and the reference do not answer it:
    /// with CPUID configuration bytes that are not 0, the call is out of scope then.
    /// </summary>
    CpuidConfigurationRefused,
}

/// <summary>A port whose choice points a test may steer. Hardware cannot; the reference can.</summary>
public interface IChoiceControl
{
    /// <summary>The next time that this choice point is reached on any processor, it fails.</summary>
    void FailNext(ChoicePoint choice);

    /// <summary>Forgets what <see cref="FailNext"/> ordered and no call has used.</summary>
    void ClearChoices();
}

/// <summary>
/// A port that judges: told the answer that another implementation gave, its next call takes the branch of a choice
/// point that gives this answer, where there is one.
/// </summary>
public interface IChoiceOracle
{
    /// <summary>The RAX that the call about to be made returned elsewhere.</summary>
    void Observe(ulong rax);
}
