namespace TdxVerify.Abi;

/// <summary>TDCALL leaf numbers: bits 15:0 of RAX (facts/valid-leaves.csv).</summary>
public enum GuestLeaf : ushort
{
    /// <summary>TDG.VP.VMCALL.</summary>
    TDG_VP_VMCALL = 0,

    /// <summary>TDG.VP.INFO.</summary>
    TDG_VP_INFO = 1,

    /// <summary>TDG.MR.RTMR.EXTEND.</summary>
    TDG_MR_RTMR_EXTEND = 2,

    /// <summary>TDG.VP.VEINFO.GET.</summary>
    TDG_VP_VEINFO_GET = 3,

    /// <summary>TDG.MR.REPORT.</summary>
    TDG_MR_REPORT = 4,

    /// <summary>TDG.VP.CPUIDVE.SET.</summary>
    TDG_VP_CPUIDVE_SET = 5,

    /// <summary>TDG.MEM.PAGE.ACCEPT.</summary>
    TDG_MEM_PAGE_ACCEPT = 6,

    /// <summary>TDG.VM.RD.</summary>
    TDG_VM_RD = 7,

    /// <summary>TDG.VM.WR.</summary>
    TDG_VM_WR = 8,

    /// <summary>TDG.VP.RD.</summary>
    TDG_VP_RD = 9,

    /// <summary>TDG.VP.WR.</summary>
    TDG_VP_WR = 10,

    /// <summary>TDG.SYS.RD.</summary>
    TDG_SYS_RD = 11,

    /// <summary>TDG.SYS.RDALL.</summary>
    TDG_SYS_RDALL = 12,

    /// <summary>TDG.SERVTD.RD.</summary>
    TDG_SERVTD_RD = 18,

    /// <summary>TDG.SERVTD.WR.</summary>
    TDG_SERVTD_WR = 20,

    /// <summary>TDG.MR.VERIFYREPORT.</summary>
    TDG_MR_VERIFYREPORT = 22,

    /// <summary>TDG.MEM.PAGE.ATTR.RD.</summary>
    TDG_MEM_PAGE_ATTR_RD = 23,

    /// <summary>TDG.MEM.PAGE.ATTR.WR.</summary>
    TDG_MEM_PAGE_ATTR_WR = 24,

    /// <summary>TDG.VP.ENTER.</summary>
    TDG_VP_ENTER = 25,

    /// <summary>TDG.VP.INVEPT.</summary>
    TDG_VP_INVEPT = 26,

    /// <summary>TDG.VP.INVVPID.</summary>
    TDG_VP_INVVPID = 27,
}
