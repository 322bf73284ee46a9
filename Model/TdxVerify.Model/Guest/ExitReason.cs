namespace TdxVerify.Model;

/// <summary>VM exit reasons that occur, as TDH.VP.ENTER returns them in RAX bits 31:0.</summary>
public enum ExitReason : uint
{
    /// <summary>An external interrupt.</summary>
    ExternalInterrupt = 1,

    /// <summary>An EPT violation.</summary>
    EptViolation = 48,

    /// <summary>TDG.VP.VMCALL.</summary>
    Tdcall = 77,
}
