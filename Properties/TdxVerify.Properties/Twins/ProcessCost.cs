using System.Globalization;

namespace TdxVerify.Properties.Twins;

/// <summary>What /proc says about a process: processor time and memory.</summary>
internal static class ProcessCost
{
    private const string Self = "self";

    // proc(5): writing this to clear_refs sets the peak back to what is used now.
    private const string ResetPeak = "5";

    /// <summary>Most memory that this process ever used since <see cref="ForgetPeak"/>, in bytes.</summary>
    public static long OwnPeak => Kilobytes(Self, "VmHWM:") * 1024;

    /// <summary>Memory that this process uses, in bytes.</summary>
    public static long OwnMemory => Kilobytes(Self, "VmRSS:") * 1024;

    /// <summary>The peak is what is used now.</summary>
    public static void ForgetPeak() => File.WriteAllText($"/proc/{Self}/clear_refs", ResetPeak);

    /// <summary>Most memory that a process ever used, in bytes; 0: it is gone.</summary>
    public static long PeakOf(int process)
    {
        try
        {
            return Kilobytes(process.ToString(CultureInfo.InvariantCulture), "VmHWM:") * 1024;
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private static long Kilobytes(string process, string name)
    {
        foreach (string line in File.ReadLines($"/proc/{process}/status"))
        {
            if (line.StartsWith(name, StringComparison.Ordinal))
                return long.Parse(line.AsSpan(name.Length).TrimEnd("kB"), NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture);
        }

        return 0;
    }
}
