using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;

namespace TdxVerify.Hardware.Replay;

/// <summary>Compares the platform of a recording with that of a port.</summary>
public static class PlatformDifference
{
    /// <summary>
    /// The values that differ, in words; null where none does. A port may have more logical processors than were
    /// recorded.
    /// </summary>
    public static string? Describe(PlatformInfo recorded, PlatformInfo port)
    {
        var differences = new List<string>();
        foreach (PlatformKey key in PlatformKeys.All)
        {
            ulong expected = key.Get(recorded);
            ulong actual = key.Get(port);
            bool more = key.Name == "lps" && actual > expected;
            if (actual != expected && !more)
                differences.Add(key.Hex ? $"{key.Name} 0x{actual:x}, recorded 0x{expected:x}" : $"{key.Name} {actual}, recorded {expected}");
        }

        if (recorded.Profile != port.Profile)
            differences.Add($"module {port.Profile.Name()}, recorded {recorded.Profile.Name()}");
        return differences.Count == 0 ? null : string.Join("; ", differences);
    }
}
