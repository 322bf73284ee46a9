using System.Text;
using TdxVerify.Abi;

namespace TdxVerify.Hardware.Trace;

/// <summary>Reads the first line of a trace.</summary>
internal static class TraceHeaderParser
{
    private static readonly byte[][] s_platformKeys =
        Array.ConvertAll(PlatformKeys.All, key => Encoding.UTF8.GetBytes(key.Name));

    public static TraceHeader Parse(ReadOnlySpan<byte> line, TracePosition position)
    {
        var json = new JsonLine(line, position);
        string? format = null;
        long? version = null;
        string? implementation = null;
        string? schedule = null;
        (PlatformInfo Platform, string? Scenario)? info = null;

        json.BeginObject("header");
        while (json.NextKey(out ReadOnlySpan<byte> key))
        {
            if (key.SequenceEqual("format"u8))
                format = json.Text("format");
            else if (key.SequenceEqual("version"u8))
                version = json.Integer("version", 0, long.MaxValue);
            else if (key.SequenceEqual("implementation"u8))
                implementation = json.Text("implementation");
            else if (key.SequenceEqual("schedule"u8))
                schedule = json.Text("schedule");
            else if (key.SequenceEqual("info"u8))
                info = Info(ref json, position);
            else
                json.Skip();
        }

        json.End();
        if (format != TraceHeader.Format)
            throw position.Error($"no TdxVerify trace: the header's format is {Found(format)}, expected \"{TraceHeader.Format}\"");
        if (version != TraceHeader.Version)
            throw position.Error($"trace format version {version?.ToString() ?? "missing"}; this program reads version {TraceHeader.Version}");
        if (implementation is null)
            throw position.Error("the header lacks \"implementation\", the name of what was recorded");
        if (info is null)
            throw position.Error("the header lacks \"info\", the platform that was recorded");
        return new TraceHeader
        {
            Implementation = implementation,
            Platform = info.Value.Platform,
            Scenario = info.Value.Scenario,
            Schedule = schedule,
        };
    }

    private static string Found(string? value) =>
        value is null ? "missing" : TracePosition.Quote(Encoding.UTF8.GetBytes(value));

    private static (PlatformInfo Platform, string? Scenario) Info(ref JsonLine json, TracePosition position)
    {
        var platform = new PlatformInfo();
        string? scenario = null;
        json.BeginObject("info");
        while (json.NextKey(out ReadOnlySpan<byte> key))
        {
            if (key.SequenceEqual("module"u8))
                platform = platform with { Profile = Profile(json.Text("info.module"), position) };
            else if (key.SequenceEqual("scenario"u8))
                scenario = json.Text("info.scenario");
            else
                platform = Number(ref json, key, platform);
        }

        return PlatformKeys.Inconsistency(platform) is { } fault
            ? throw position.Error($"info: {fault}")
            : (platform, scenario);
    }

    private static PlatformInfo Number(ref JsonLine json, ReadOnlySpan<byte> key, PlatformInfo platform)
    {
        for (int i = 0; i < s_platformKeys.Length; i++)
        {
            if (!key.SequenceEqual(s_platformKeys[i]))
                continue;

            PlatformKey platformKey = PlatformKeys.All[i];
            string name = $"info.{platformKey.Name}";
            if (!platformKey.Hex)
                return platformKey.Set(platform, (ulong)json.Integer(name, (long)platformKey.Minimum, (long)platformKey.Maximum));

            ulong value = json.Hex(name);
            return value <= platformKey.Maximum
                ? platformKey.Set(platform, value)
                : throw json.Unexpected(name, $"at most 0x{platformKey.Maximum:x}");
        }

        json.Skip();
        return platform;
    }

    private static ModuleProfile Profile(string name, TracePosition position) =>
        ModuleProfiles.TryParse(name, out ModuleProfile profile) && !profile.IsHypothetical()
            ? profile
            : throw position.Error(
                $"info.module: {Found(name)} is no known module version; known are {string.Join(", ", ModuleProfiles.All.Select(p => p.Name))}");
}
