using TdxVerify.Abi;

namespace TdxVerify.Reference;

/// <summary>
/// The EPT-violation TD exit that TDG.MEM.PAGE.ACCEPT and ATTR.WR produce (facts/guest.md): it tells the host what
/// was asked for and which entry stood against it. It is not counted by the zero-step mitigation.
/// </summary>
internal static class AcceptViolation
{
    /// <summary>The extended type of TDG.MEM.PAGE.ACCEPT.</summary>
    public const ulong Accept = 1;

    /// <summary>The extended type of TDG.MEM.PAGE.ATTR.WR.</summary>
    public const ulong AttributesWrite = 5;

    private const ulong DataWrite = 2;
    private const int EntryPermissionsShift = 3;
    private const int RequestedLevelShift = 32;
    private const int ErrorLevelShift = 35;
    private const int ErrorStateShift = 38;
    private const int ErrorLeafShift = 46;

    public static TdcallOutcome Exit(
        LogicalProcessor lp, ulong type, PageInfo target, ulong entry, int level, out RegisterFile host)
    {
        ulong extended = type
            | ((ulong)target.Level << RequestedLevelShift)
            | ((ulong)level << ErrorLevelShift)
            | ((ulong)SeptStates.Of(entry).ArchitecturalState << ErrorStateShift)
            | ((SeptEntry.IsLeaf(entry) ? 1UL : 0) << ErrorLeafShift);
        ulong qualification = DataWrite | ((entry & SeptEntry.PermissionsMask) << EntryPermissionsShift);
        TdExit.EptViolation(lp, target.Gpa, qualification, extended, out host);
        return TdcallOutcome.LeftForRepeat;
    }
}
