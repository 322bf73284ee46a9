namespace TdxVerify.Abi;

/// <summary>SEAMCALL leaf numbers: bits 15:0 of RAX (facts/valid-leaves.csv).</summary>
public enum HostLeaf : ushort
{
    /// <summary>TDH.VP.ENTER.</summary>
    TDH_VP_ENTER = 0,

    /// <summary>TDH.MNG.ADDCX.</summary>
    TDH_MNG_ADDCX = 1,

    /// <summary>TDH.MEM.PAGE.ADD.</summary>
    TDH_MEM_PAGE_ADD = 2,

    /// <summary>TDH.MEM.SEPT.ADD.</summary>
    TDH_MEM_SEPT_ADD = 3,

    /// <summary>TDH.VP.ADDCX.</summary>
    TDH_VP_ADDCX = 4,

    /// <summary>TDH.MEM.PAGE.RELOCATE.</summary>
    TDH_MEM_PAGE_RELOCATE = 5,

    /// <summary>TDH.MEM.PAGE.AUG.</summary>
    TDH_MEM_PAGE_AUG = 6,

    /// <summary>TDH.MEM.RANGE.BLOCK.</summary>
    TDH_MEM_RANGE_BLOCK = 7,

    /// <summary>TDH.MNG.KEY.CONFIG.</summary>
    TDH_MNG_KEY_CONFIG = 8,

    /// <summary>TDH.MNG.CREATE.</summary>
    TDH_MNG_CREATE = 9,

    /// <summary>TDH.VP.CREATE.</summary>
    TDH_VP_CREATE = 10,

    /// <summary>TDH.MNG.RD.</summary>
    TDH_MNG_RD = 11,

    /// <summary>TDH.MEM.RD.</summary>
    TDH_MEM_RD = 12,

    /// <summary>TDH.MNG.WR.</summary>
    TDH_MNG_WR = 13,

    /// <summary>TDH.MEM.WR.</summary>
    TDH_MEM_WR = 14,

    /// <summary>TDH.MEM.PAGE.DEMOTE.</summary>
    TDH_MEM_PAGE_DEMOTE = 15,

    /// <summary>TDH.MR.EXTEND.</summary>
    TDH_MR_EXTEND = 16,

    /// <summary>TDH.MR.FINALIZE.</summary>
    TDH_MR_FINALIZE = 17,

    /// <summary>TDH.VP.FLUSH.</summary>
    TDH_VP_FLUSH = 18,

    /// <summary>TDH.MNG.VPFLUSHDONE.</summary>
    TDH_MNG_VPFLUSHDONE = 19,

    /// <summary>TDH.MNG.KEY.FREEID.</summary>
    TDH_MNG_KEY_FREEID = 20,

    /// <summary>TDH.MNG.INIT.</summary>
    TDH_MNG_INIT = 21,

    /// <summary>TDH.VP.INIT.</summary>
    TDH_VP_INIT = 22,

    /// <summary>TDH.MEM.PAGE.PROMOTE.</summary>
    TDH_MEM_PAGE_PROMOTE = 23,

    /// <summary>TDH.PHYMEM.PAGE.RDMD.</summary>
    TDH_PHYMEM_PAGE_RDMD = 24,

    /// <summary>TDH.MEM.SEPT.RD.</summary>
    TDH_MEM_SEPT_RD = 25,

    /// <summary>TDH.VP.RD.</summary>
    TDH_VP_RD = 26,

    /// <summary>TDH.MNG.KEY.RECLAIMID.</summary>
    TDH_MNG_KEY_RECLAIMID = 27,

    /// <summary>TDH.PHYMEM.PAGE.RECLAIM.</summary>
    TDH_PHYMEM_PAGE_RECLAIM = 28,

    /// <summary>TDH.MEM.PAGE.REMOVE.</summary>
    TDH_MEM_PAGE_REMOVE = 29,

    /// <summary>TDH.MEM.SEPT.REMOVE.</summary>
    TDH_MEM_SEPT_REMOVE = 30,

    /// <summary>TDH.SYS.KEY.CONFIG.</summary>
    TDH_SYS_KEY_CONFIG = 31,

    /// <summary>TDH.SYS.INFO.</summary>
    TDH_SYS_INFO = 32,

    /// <summary>TDH.SYS.INIT.</summary>
    TDH_SYS_INIT = 33,

    /// <summary>TDH.SYS.RD.</summary>
    TDH_SYS_RD = 34,

    /// <summary>TDH.SYS.LP.INIT.</summary>
    TDH_SYS_LP_INIT = 35,

    /// <summary>TDH.SYS.TDMR.INIT.</summary>
    TDH_SYS_TDMR_INIT = 36,

    /// <summary>TDH.SYS.RDALL.</summary>
    TDH_SYS_RDALL = 37,

    /// <summary>TDH.MEM.TRACK.</summary>
    TDH_MEM_TRACK = 38,

    /// <summary>TDH.MEM.RANGE.UNBLOCK.</summary>
    TDH_MEM_RANGE_UNBLOCK = 39,

    /// <summary>TDH.PHYMEM.CACHE.WB.</summary>
    TDH_PHYMEM_CACHE_WB = 40,

    /// <summary>TDH.PHYMEM.PAGE.WBINVD.</summary>
    TDH_PHYMEM_PAGE_WBINVD = 41,

    /// <summary>TDH.VP.WR.</summary>
    TDH_VP_WR = 43,

    /// <summary>TDH.SYS.LP.SHUTDOWN.</summary>
    TDH_SYS_LP_SHUTDOWN = 44,

    /// <summary>TDH.SYS.CONFIG.</summary>
    TDH_SYS_CONFIG = 45,

    /// <summary>TDH.SERVTD.BIND.</summary>
    TDH_SERVTD_BIND = 48,

    /// <summary>TDH.SERVTD.PREBIND.</summary>
    TDH_SERVTD_PREBIND = 49,

    /// <summary>TDH.SYS.SHUTDOWN.</summary>
    TDH_SYS_SHUTDOWN = 52,

    /// <summary>TDH.SYS.UPDATE.</summary>
    TDH_SYS_UPDATE = 53,

    /// <summary>TDH.EXPORT.ABORT.</summary>
    TDH_EXPORT_ABORT = 64,

    /// <summary>TDH.EXPORT.BLOCKW.</summary>
    TDH_EXPORT_BLOCKW = 65,

    /// <summary>TDH.EXPORT.RESTORE.</summary>
    TDH_EXPORT_RESTORE = 66,

    /// <summary>TDH.EXPORT.MEM.</summary>
    TDH_EXPORT_MEM = 68,

    /// <summary>TDH.EXPORT.PAUSE.</summary>
    TDH_EXPORT_PAUSE = 70,

    /// <summary>TDH.EXPORT.TRACK.</summary>
    TDH_EXPORT_TRACK = 71,

    /// <summary>TDH.EXPORT.STATE.IMMUTABLE.</summary>
    TDH_EXPORT_STATE_IMMUTABLE = 72,

    /// <summary>TDH.EXPORT.STATE.TD.</summary>
    TDH_EXPORT_STATE_TD = 73,

    /// <summary>TDH.EXPORT.STATE.VP.</summary>
    TDH_EXPORT_STATE_VP = 74,

    /// <summary>TDH.EXPORT.UNBLOCKW.</summary>
    TDH_EXPORT_UNBLOCKW = 75,

    /// <summary>TDH.IMPORT.ABORT.</summary>
    TDH_IMPORT_ABORT = 80,

    /// <summary>TDH.IMPORT.END.</summary>
    TDH_IMPORT_END = 81,

    /// <summary>TDH.IMPORT.COMMIT.</summary>
    TDH_IMPORT_COMMIT = 82,

    /// <summary>TDH.IMPORT.MEM.</summary>
    TDH_IMPORT_MEM = 83,

    /// <summary>TDH.IMPORT.TRACK.</summary>
    TDH_IMPORT_TRACK = 84,

    /// <summary>TDH.IMPORT.STATE.IMMUTABLE.</summary>
    TDH_IMPORT_STATE_IMMUTABLE = 85,

    /// <summary>TDH.IMPORT.STATE.TD.</summary>
    TDH_IMPORT_STATE_TD = 86,

    /// <summary>TDH.IMPORT.STATE.VP.</summary>
    TDH_IMPORT_STATE_VP = 87,

    /// <summary>TDH.MIG.STREAM.CREATE.</summary>
    TDH_MIG_STREAM_CREATE = 96,
}
