using TdxVerify.Abi;

namespace TdxVerify.Host;

/// <summary>Which page of the TDMR is what, and which addresses the host uses, in a configuration.</summary>
/// <param name="platform">The platform.</param>
/// <param name="td">The TD.</param>
public sealed class TdPages(PlatformInfo platform, TdLayout td)
{
    /// <summary>The TDR page.</summary>
    public const int Tdr = 0;

    /// <summary>The first TDCS page.</summary>
    public const int FirstTdcs = 1;

    /// <summary>Where TD_PARAMS are, and the source of measured pages.</summary>
    public const int Parameters = 8;

    // Not 0, so that no number that is no GPA looks like one.
    private const ulong FirstGpa = 0x4000_0000;

    private const int FirstTdvpr = 16;
    private const int PagesPerVcpu = 8;
    private const int FirstTable = 128;
    private const int FirstPage = 192;
    private const int FirstSpare = 256;

    /// <summary>The private key id of the TD.</summary>
    public int Hkid => platform.HkidFirst;

    /// <summary>The key id as the bits of an HPA.</summary>
    public ulong HkidBits => (ulong)Hkid << platform.HkidStartBit;

    /// <summary>The TDVPR page of a vCPU; its other pages follow.</summary>
    public static int Tdvpr(int vcpu) => FirstTdvpr + (vcpu * PagesPerVcpu);

    /// <summary>The vCPU to which a page belongs; -1: none.</summary>
    public static int VcpuOf(int page, int vcpus) =>
        page >= FirstTdvpr && page < Tdvpr(vcpus) ? (page - FirstTdvpr) / PagesPerVcpu : -1;

    /// <summary>The bits of an operand that are an address, without key id and flags.</summary>
    public ulong FrameMask { get; } = (1UL << platform.HkidStartBit) - Abi.Hpa.PageSize;

    /// <summary>A page that belongs to nobody.</summary>
    public static int Spare(int number) => FirstSpare + number;

    /// <summary>The HPA of a page.</summary>
    public ulong Address(int page) => platform.PageBase + ((ulong)page << Abi.Hpa.PageShift);

    /// <summary>The address of a GPA, by its number.</summary>
    public ulong Gpa(int number)
    {
        GpaLayout gpa = td.Gpas[number];
        return FirstGpa + ((ulong)Region(number) << SeptLevel.Shift(SeptLevel.Page2M)) + (gpa.Level == SeptLevel.Page4K ? (ulong)number << Abi.Hpa.PageShift : 0);
    }

    /// <summary>The number of the GPA that an address is in; -1: none.</summary>
    public int GpaAt(ulong address)
    {
        for (int number = 0; number < td.Gpas.Length; number++)
        {
            if ((address & ~(SeptLevel.Size(td.Gpas[number].Level) - 1)) == Gpa(number))
                return number;
        }

        return -1;
    }

    /// <summary>The page of the TDMR at an address; -1: none.</summary>
    public int PageAt(ulong address) => address >= platform.PageBase && address < platform.PageEnd ? (int)((address - platform.PageBase) >> Abi.Hpa.PageShift) : -1;

    /// <summary>The page that guest_memfd has for a GPA.</summary>
    public int PageOf(int gpa)
    {
        int number = td.Gpas[gpa].SharesPageOf ?? gpa;
        return td.Gpas[number].Level == SeptLevel.Page4K ? FirstPage + number : (number + 1) << 9;
    }

    /// <summary>The S-EPT page of the table below the entry of a GPA at a level, 1 to 3.</summary>
    public int TableOf(int gpa, int level) => level <= SeptLevel.Page2M ? FirstTable + 4 + Region(gpa) : FirstTable + level;

    /// <summary>The 2 MiB region of a GPA: those of one region share an S-EPT page.</summary>
    public int Region(int gpa) => td.Gpas[gpa] is { Level: SeptLevel.Page4K, OwnTable: false } ? 0 : gpa + 1;
}
