namespace TdxVerify.Properties.Twins;

/// <summary>A case that the models of a scenario tell about when it first occurs.</summary>
/// <param name="Number">Its number in the twins.</param>
/// <param name="Event">The event that reports it here.</param>
public sealed record TwinCase(int Number, string Event);

/// <summary>A scenario that was written a second and a third time by hand, in Promela and in Murphi (Properties/twins).</summary>
/// <param name="Scenario">The scenario's name, and that of the files.</param>
/// <param name="Cases">Cases that occur.</param>
/// <param name="Never">Events that must not occur: the twins assert so.</param>
public sealed record Twin(string Scenario, IReadOnlyList<TwinCase> Cases, IReadOnlyList<string> Never)
{
    /// <summary>All twins, the smallest first.</summary>
    public static IReadOnlyList<Twin> All { get; } =
    [
        new("track-vs-enter",
            [
                new(1, "TDH.VP.ENTER: TDX_OPERAND_BUSY(TD_EPOCH)"),
                new(2, "TDH.MEM.TRACK: TDX_OPERAND_BUSY(TD_EPOCH)"),
                new(3, "TDH.MEM.TRACK: TDX_PREVIOUS_TLB_EPOCH_BUSY"),
            ],
            []),
        new("zero-step-vs-aug-2",
            [
                new(1, "TDH.VP.ENTER: TDX_OPERAND_BUSY(SEPT_TREE)"),
                new(2, "TDH.MEM.PAGE.AUG: TDX_OPERAND_BUSY(SEPT_TREE)"),
                new(3, "mapper: mapped"),
            ],
            ["vCPU 0: read the page", "vCPU 1: read the page"]),
    ];

    /// <summary>The twin of a scenario; null: it has none.</summary>
    public static Twin? Find(string scenario) => All.FirstOrDefault(twin => twin.Scenario == scenario);
}
