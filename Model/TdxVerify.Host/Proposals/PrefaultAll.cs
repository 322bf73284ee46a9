using TdxVerify.Host.Kvm;
using static TdxVerify.Host.Do;

namespace TdxVerify.Host.Proposals;

/// <summary>All of the S-EPT is prepared before the TD runs; a violation afterwards is an error that user space gets.</summary>
public static class PrefaultAll
{
    /// <summary>The proposal.</summary>
    public static Proposal Proposal { get; } = new("prefault-all")
    {
        Author = "Sean Christopherson (call of 2024-12-17)",
        Date = "2024-12-17",
        Claim = "Without AUG at run time nothing contends with the guest's faults.",
        Objection = "It breaks with huge pages, conversions and memory hot-plug.",
        Host = KvmHost.Of(new KvmParts { EptViolation = _ => NoFault() }),
        PreparesTd = td => td with
        {
            Gpas = [.. td.Gpas.Select(gpa => gpa with { HasTable = true, Start = gpa.Start == GpaStart.Free && td.IsFinalized ? GpaStart.Pending : gpa.Start })],
        },
    };

    private static HostProgram NoFault() => HostProgram.Named("tdx_handle_ept_violation, all prefaulted", "as discussed 2024-12-17")
        .State("V4", Goto).Next($"return {KvmCodes.MemoryFault}")
        .Build();
}
