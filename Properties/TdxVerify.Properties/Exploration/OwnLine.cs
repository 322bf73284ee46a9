using System.Runtime.InteropServices;

namespace TdxVerify.Properties.Exploration;

/// <summary>A number that one worker writes all the time, far from all that others read.</summary>
/// <remarks>
/// Why: processors exchange cache lines, and fetch them in pairs. What shares one with such a number is read from another
/// core's cache again and again, which takes longer than the step it is needed for.
/// </remarks>
[StructLayout(LayoutKind.Explicit, Size = 2 * Distance)]
internal struct OwnLine
{
    private const int Distance = 128;

    /// <summary>The number.</summary>
    [FieldOffset(Distance)]
    public long Value;
}
