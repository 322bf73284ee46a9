namespace TdxVerify.Properties.Explain;

/// <summary>
/// Values that Linux puts where a status would be, when SEAMCALL itself failed and no TDX module answered
/// (<c>TDX_SW_ERROR</c> in arch/x86/include/asm/tdx.h: bit 63 and bits 47:40 set).
/// </summary>
public static class KernelStatus
{
    private static readonly (ulong Value, string Name, string Meaning)[] s_rows =
    [
        (0x8000_FF00_FFFF_0000, "TDX_SEAMCALL_VMFAILINVALID", "SEAMCALL failed with VMfailInvalid: no TDX module is loaded, or it was shut down (after a crash of the module, or for a kexec)"),
        (0x8000_FF00_0000_000D, "TDX_SEAMCALL_GP", "SEAMCALL raised #GP: the CPU has no SEAM, or the BIOS did not enable TDX"),
        (0x8000_FF00_0000_0006, "TDX_SEAMCALL_UD", "SEAMCALL raised #UD: the CPU is not in VMX operation (no VMXON on this CPU)"),
    ];

    /// <summary>The kernel's name for a value; null where it is not one of these.</summary>
    public static string? NameOf(ulong value) => Array.Find(s_rows, row => row.Value == value).Name;

    /// <summary>What happened; null where it is not one of these.</summary>
    public static string? MeaningOf(ulong value) => Array.Find(s_rows, row => row.Value == value).Meaning;
}
