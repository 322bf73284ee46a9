using System.Globalization;
using System.IO.Compression;
using System.Text.Json;
using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;

namespace TdxVerify.Properties.Contention;

/// <summary>One row of contention.csv: a pair and its recorded outcomes.</summary>
public sealed record RecordedPair(string Scenario, string A, string B, string Relation, IReadOnlySet<string> Outcomes, int LpA, int LpB)
{
    /// <summary>Outcomes that were found only where each atomic instruction of an attempt at a lock is a step.</summary>
    public required IReadOnlySet<string> OnlyWithSplitLocks { get; init; }
}

/// <summary>The recorded contention of the real module: set-ups, instances, pairs.</summary>
public sealed class ContentionRecordings
{
    // contention.md: used only to show Z1 of anomalies.md.
    private const string OnlyForZ1 = "VP.ENTER+TDG.ACCEPT e000/0 v1";
    private const string ResourcePrefix = "contention/";
    private const string InstancesFile = "instances.json";
    private const string PairsFile = "contention.csv";

    private ContentionRecordings(
        IReadOnlyDictionary<string, TraceFile> setups, IReadOnlyDictionary<(string, string), Instance> instances, IReadOnlyList<RecordedPair> pairs)
    {
        Setups = setups;
        Instances = instances;
        Pairs = pairs;
    }

    /// <summary>The set-up of each scenario.</summary>
    public IReadOnlyDictionary<string, TraceFile> Setups { get; }

    /// <summary>The instances, by scenario and name.</summary>
    public IReadOnlyDictionary<(string Scenario, string Name), Instance> Instances { get; }

    /// <summary>The same with some of the pairs.</summary>
    public ContentionRecordings Only(Func<RecordedPair, bool> wanted) => new(Setups, Instances, [.. Pairs.Where(wanted)]);

    /// <summary>HPA of the TDR that the first instance with a TD names.</summary>
    public ulong FirstTdrOf(string scenario) => InstancesOf(scenario).First(instance => instance.Tdr != 0).Tdr;

    /// <summary>The instances of a scenario that are paired, in their order.</summary>
    public IEnumerable<Instance> InstancesOf(string scenario) =>
        Instances.Where(row => row.Key.Scenario == scenario && row.Key.Name != OnlyForZ1).Select(row => row.Value);

    /// <summary>The pairs.</summary>
    public IReadOnlyList<RecordedPair> Pairs { get; }

    /// <summary>The project's own copy.</summary>
    public static ContentionRecordings BuiltIn() => Load("built-in", name =>
        typeof(ContentionRecordings).Assembly.GetManifestResourceStream(ResourcePrefix + name));

    /// <summary>Reads a folder with instances.json, contention.csv (or contention.csv.gz) and the set-ups.</summary>
    /// <exception cref="InputException">A file is missing or not as expected.</exception>
    public static ContentionRecordings Load(string folder)
    {
        if (!Directory.Exists(folder))
            throw new InputException($"{folder}: there is no such folder; it must hold instances.json, contention.csv and the set-ups");
        return Load(folder, name => File.Exists(Path.Combine(folder, name)) ? File.OpenRead(Path.Combine(folder, name)) : null);
    }

    private static ContentionRecordings Load(string folder, Func<string, Stream?> open)
    {
        var setups = new Dictionary<string, TraceFile>();
        var instances = new Dictionary<(string, string), Instance>();
        string name = InstancesFile;
        try
        {
            using (JsonDocument json = JsonDocument.Parse(Open(name)))
            {
                foreach (JsonProperty scenario in json.RootElement.GetProperty("scenarios").EnumerateObject())
                {
                    foreach (JsonElement instance in scenario.Value.GetProperty("instances").EnumerateArray())
                        instances.Add((scenario.Name, instance.GetProperty("name").GetString()!), ReadInstance(instance));
                    string setup = scenario.Value.GetProperty("setup").GetString()!;
                    using TraceReader reader = TraceReader.Open(Path.Combine(folder, setup), Open(setup));
                    setups.Add(scenario.Name, TraceFile.Load(reader));
                }
            }

            name = PairsFile;
            using var lines = new StreamReader(Open(open(PairsFile + ".gz") is { } ? PairsFile + ".gz" : PairsFile));
            lines.ReadLine();
            var pairs = new List<RecordedPair>();
            while (lines.ReadLine() is { } line)
                pairs.Add(ReadPair(line));
            return new ContentionRecordings(setups, instances, pairs);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new InputException($"{Path.Combine(folder, name)}: cannot be read: {e.Message}");
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or IndexOutOfRangeException or ArgumentException)
        {
            throw new InputException($"{Path.Combine(folder, name)}: not as expected: {e.Message}");
        }

        Stream Open(string wanted) => open(wanted) is { } found
            ? wanted.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(found, CompressionMode.Decompress) : found
            : throw new InputException($"{Path.Combine(folder, wanted)}: there is no such file; the folder must hold {InstancesFile}, {PairsFile} and the set-ups");
    }

    // All fields are quoted, and none holds a quote.
    private static RecordedPair ReadPair(string line)
    {
        string[] fields = line[1..^1].Split("\",\"");
        return new RecordedPair(
            fields[0], fields[1], fields[2], fields[5], fields[8].Split(';').ToHashSet(),
            int.Parse(fields[13], CultureInfo.InvariantCulture), int.Parse(fields[14], CultureInfo.InvariantCulture))
        {
            OnlyWithSplitLocks = fields[15].Split(';', StringSplitOptions.RemoveEmptyEntries).ToHashSet(),
        };
    }

    private static Instance ReadInstance(JsonElement json) => new(
        json.GetProperty("name").GetString()!,
        json.GetProperty("leaf").GetString()!,
        json.GetProperty("lp") is { ValueKind: JsonValueKind.Number } lp ? lp.GetInt32() : -1,
        ReadRegisters(json.GetProperty("in")),
        json.GetProperty("vp").GetString() is { } vp ? ReadHex(vp) : 0,
        json.GetProperty("inGuest").GetBoolean(),
        json.GetProperty("guestOp") is { ValueKind: JsonValueKind.Object } operation ? ReadOperation(operation) : null)
    {
        Tdr = json.GetProperty("tdr").GetString() is { } tdr ? ReadHex(tdr) : 0,
        Gpa = json.GetProperty("gpa").GetString() is { } gpa ? ReadHex(gpa) : null,
        Level = json.GetProperty("level") is { ValueKind: JsonValueKind.Number } level ? level.GetInt32() : 0,
        Pages = [.. json.GetProperty("pages").EnumerateArray().Select(page => ReadHex(page.GetString()!))],
    };

    private static GuestOperation ReadOperation(JsonElement json)
    {
        switch (json.GetProperty("kind").GetString())
        {
            case "idle":
                return default;
            case "access":
                GuestAccess access = GuestAccess.None;
                foreach (char c in json.GetProperty("access").GetString()!)
                    access |= c switch { 'r' => GuestAccess.Read, 'w' => GuestAccess.Write, _ => GuestAccess.Execute };
                return new GuestOperation { Kind = GuestOperationKind.Access, Access = access, Rip = ReadHex(json, "rip"), Gpa = ReadHex(json, "gpa") };
            default:
                return new GuestOperation { Kind = GuestOperationKind.Tdcall, Rip = ReadHex(json, "rip"), Registers = ReadRegisters(json.GetProperty("in")) };
        }
    }

    private static RegisterFile ReadRegisters(JsonElement json)
    {
        var registers = default(RegisterFile);
        foreach (JsonProperty register in json.EnumerateObject())
            registers[Enum.Parse<Register>(register.Name, ignoreCase: true)] = ReadHex(register.Value.GetString()!);
        return registers;
    }

    private static ulong ReadHex(JsonElement json, string name) => ReadHex(json.GetProperty(name).GetString()!);

    private static ulong ReadHex(string text) => ulong.Parse(text.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
