using TdxVerify.Abi;
using Xunit;

namespace TdxVerify.Tests.Metadata;

/// <summary>
/// TDH.MNG.RD and TDH.VP.RD: which field ids the module knows, who may read them, and that a field whose value is not
/// modelled is out of scope and never answered wrongly.
/// </summary>
public sealed class MetadataReadTests : IDisposable
{
    private const ulong Incorrect = Status.TDX_METADATA_FIELD_ID_INCORRECT;
    private const ulong NotReadable = Status.TDX_METADATA_FIELD_NOT_READABLE;

    private readonly MetadataTd _td = new();
    private readonly MetadataTd _debugTd = new(debug: true);

    public void Dispose()
    {
        _td.Dispose();
        _debugTd.Dispose();
    }

    [Theory]
    [InlineData("FATAL", 0x8010_0000_0000_0001, 0)]
    [InlineData("NUM_TDCX", 0x8010_0002_0000_0002, 6)]
    [InlineData("CHLDCNT", 0x8010_0003_0000_0004, 12)]
    [InlineData("LIFECYCLE_STATE", 0x8010_0002_0000_0005, 1)]
    [InlineData("PKG_CONFIG_BITMAP", 0x8110_0003_0000_0002, 1)]
    [InlineData("NUM_VCPUS", 0x9010_0002_0000_0001, 1)]
    [InlineData("NUM_ASSOC_VCPUS", 0x9010_0002_0000_0002, 1)]
    [InlineData("OP_STATE", 0x9010_0002_0000_0004, 1)]
    [InlineData("NUM_L2_VMS", 0x9010_0001_0000_0005, 0)]
    [InlineData("ATTRIBUTES", 0x1110_0003_0000_0000, 0)]
    [InlineData("XFAM", 0x1110_0003_0000_0001, 3)]
    [InlineData("MAX_VCPUS", 0x1110_0002_0000_0002, 3)]
    [InlineData("GPAW", 0x1110_0000_0000_0003, 1)]
    [InlineData("TSC_FREQUENCY", 0x1110_0001_0000_000C, 40)]
    [InlineData("NUM_CPUID_VALUES", 0x9110_0001_0000_000E, 64)]
    [InlineData("CONFIG_FLAGS", 0x1110_0003_0000_0016, 1)]
    [InlineData("TD_EPOCH", 0x9210_0003_0000_0000, 1)]
    [InlineData("REFCOUNT[0]", 0x9210_0001_0000_0001, 0)]
    [InlineData("REFCOUNT[1]", 0x9210_0001_0000_0002, 0)]
    public void A_field_that_the_state_holds_is_read(string field, ulong id, ulong value) => Assert.Equal((field, (0UL, value)), (field, _td.ReadTd(id)));

    [Fact]
    public void Key_id_and_root_page_are_those_of_the_TD()
    {
        Assert.Equal((0UL, _td.Hkid), _td.ReadTd(0x8110_0001_0000_0001));
        Assert.Equal((0UL, _td.RootPage | 0x26), _td.ReadTd(0x1110_0003_0000_0004));
    }

    [Theory]
    [InlineData("VCPU_INDEX", 0xA020_0002_0000_0002, 0)]
    [InlineData("NUM_TDVPS_PAGES", 0xA020_0000_0000_0003, 6)]
    [InlineData("VCPU_EPOCH", 0xA020_0003_0000_0006, 0)]
    [InlineData("XFAM", 0x2020_0003_0000_000C, 3)]
    public void A_vCPU_field_that_the_state_holds_is_read(string field, ulong id, ulong value) => Assert.Equal((field, (0UL, value)), (field, _td.ReadVcpu(id)));

    [Theory]
    [InlineData("TD_CTLS", 0x1110_0003_0000_0017, 0)]
    public void Some_fields_are_for_the_host_of_a_debug_TD(string field, ulong id, ulong value)
    {
        Assert.Equal((field, (NotReadable, 0UL)), (field, _td.ReadTd(id)));
        Assert.Equal((field, (0UL, value)), (field, _debugTd.ReadTd(id)));
    }

    [Theory]
    [InlineData("VCPU_STATE", 0xA020_0000_0000_0000, 2)]
    [InlineData("LAST_EPF_GPA_LIST_IDX", 0xA020_0000_0000_000D, 0)]
    [InlineData("POSSIBLY_EPF_STEPPING", 0xA020_0000_0000_000E, 0)]
    [InlineData("LAST_TD_EXIT", 0xA020_0000_0000_000F, 0)]
    [InlineData("CURR_VM", 0xA020_0001_0000_0041, 0)]
    public void Some_vCPU_fields_are_for_the_host_of_a_debug_TD(string field, ulong id, ulong value)
    {
        Assert.Equal((field, (NotReadable, 0UL)), (field, _td.ReadVcpu(id)));
        Assert.Equal((field, (0UL, value)), (field, _debugTd.ReadVcpu(id)));
    }

    [Theory]
    [InlineData("TDCX_PA", 0x8010_0003_0000_0010)]
    [InlineData("TD_UUID", 0x8010_0003_0000_0023)]
    [InlineData("HP_LOCK_TIMEOUT", 0x9110_0003_0000_0011)]
    [InlineData("MRTD", 0x1310_0003_0000_0005)]
    [InlineData("CPUID_VALUES", 0x9410_0003_0000_0000)]
    [InlineData("MIG_VERSION", 0x9810_0001_0000_0020)]
    [InlineData("MIGSC_LINKS", 0x9A10_0003_0000_01FF)]
    public void A_field_whose_value_is_not_modelled_is_out_of_scope(string field, ulong id) => Assert.Equal((field, null), (field, _td.ReadTd(id)));

    [Theory]
    [InlineData("VCPU_STATE_DETAILS", 0x9120_0003_0000_0100)]
    [InlineData("ASSOC_LPID", 0xA020_0002_0000_0004)]
    [InlineData("VMCS, guest RIP", 0x0024_0003_0000_681E)]
    public void A_vCPU_field_whose_value_is_not_modelled_is_out_of_scope(string field, ulong id) => Assert.Equal((field, null), (field, _td.ReadVcpu(id)));

    [Theory]
    [InlineData("SEAMDB_NONCE", 0x8210_0003_0000_0002)]
    [InlineData("VIRTUAL_TSC", 0x1110_0003_0000_000D)]
    public void Some_fields_are_for_nobody(string field, ulong id)
    {
        Assert.Equal((field, (NotReadable, 0UL)), (field, _td.ReadTd(id)));
        Assert.Equal((field, (NotReadable, 0UL)), (field, _debugTd.ReadTd(id)));
    }

    [Theory]
    [InlineData("SEPT_ROOT", 0x2110_0003_0000_0000)]
    [InlineData("RTMR", 0x1310_0003_0000_0040)]
    public void Who_may_not_read_a_field_is_told_so_even_if_its_value_is_not_modelled(string field, ulong id)
    {
        Assert.Equal((field, (NotReadable, 0UL)), (field, _td.ReadTd(id)));
        Assert.Equal((field, null), (field, _debugTd.ReadTd(id)));
    }

    [Theory]
    [InlineData("a gap in the class", 0x8010_0003_0000_0003)]
    [InlineData("behind the last field of the class", 0x8010_0003_0000_0024)]
    [InlineData("a class that does not exist", 0x9710_0003_0000_0000)]
    [InlineData("the root of an L2 VM that does not exist", 0x2510_0003_0000_0000)]
    [InlineData("TOPOLOGY_ENUM_CONFIGURED, of a later module", 0x9110_0000_0000_0019)]
    [InlineData("X2APIC_IDS, of a later module", 0x9C10_0002_0000_0000)]
    [InlineData("a reserved bit of a CPUID code", 0x9410_0003_0002_0000)]
    [InlineData("reserved bit 24", 0x9010_0002_0100_0001)]
    [InlineData("last element", 0x9010_0006_0000_0001)]
    [InlineData("last field", 0x9010_0042_0000_0001)]
    [InlineData("reserved bit 49", 0x9012_0002_0000_0001)]
    [InlineData("reserved bit 55", 0x9090_0002_0000_0001)]
    [InlineData("reserved bit 62", 0xD010_0002_0000_0001)]
    public void An_id_that_names_nothing_is_incorrect(string what, ulong id) => Assert.Equal((what, (Incorrect, 0UL)), (what, _td.ReadTd(id)));

    [Theory]
    [InlineData("a gap in the class", 0xA020_0003_0000_0001)]
    [InlineData("the VMCS of an L2 VM that does not exist", 0x2420_0003_0000_681E)]
    [InlineData("the upper half of a VMCS field", 0x0024_0003_0000_2001)]
    [InlineData("no VMCS field", 0x0024_0003_0000_7000)]
    public void A_vCPU_id_that_names_nothing_is_incorrect(string what, ulong id) => Assert.Equal((what, (Incorrect, 0UL)), (what, _td.ReadVcpu(id)));

    [Theory]
    [InlineData("bit 63", 0x1010_0002_0000_0001)]
    [InlineData("size", 0x9010_0003_0000_0001)]
    [InlineData("context of a vCPU", 0x9020_0002_0000_0001)]
    [InlineData("context of the module", 0x9000_0002_0000_0001)]
    [InlineData("increment", 0x9014_0002_0000_0001)]
    [InlineData("write mask valid", 0x9018_0002_0000_0001)]
    public void Parts_of_an_id_are_ignored(string part, ulong id) => Assert.Equal((part, (0UL, 1UL)), (part, _td.ReadTd(id)));

    [Fact]
    public void Module_1_5_05_has_the_topology_of_a_TD()
    {
        using var td = new MetadataTd(profile: ModuleProfile.V1_5_05);

        Assert.Equal((0UL, 0UL), td.ReadTd(0x9110_0000_0000_0019));
        Assert.Equal((0UL, 0UL), td.ReadTd(0x9C10_0002_0000_0000 + 575));
        Assert.Equal((Incorrect, 0UL), td.ReadTd(0x9C10_0002_0000_0000 + 576));
        Assert.Equal((Incorrect, 0UL), td.ReadTd(0x9110_0000_0000_0018));
        Assert.Equal((0UL, 68UL), td.ReadTd(0x9110_0001_0000_000E));
    }

    // The model and the reference have their tables of fields from different places.
    [Theory]
    [InlineData(ModuleProfile.V1_5_01, false)]
    [InlineData(ModuleProfile.V1_5_05, true)]
    public void Model_and_reference_know_the_same_fields(ModuleProfile profile, bool debug)
    {
        using var td = new MetadataTd(debug, profile);
        int known = 0;
        for (ulong fieldClass = 0; fieldClass < 64; fieldClass++)
        {
            // The codes of the TD VMCS and of MSRs are spread wide.
            ulong codes = fieldClass is 0 or 0x13 ? 0x7000UL : 0x900;
            for (ulong code = 0; code < codes; code++)
            {
                ulong id = fieldClass << 56 | code;
                known += td.ReadTd(id) == (Incorrect, 0UL) ? 0 : 1;
                known += td.ReadVcpu(id) == (Incorrect, 0UL) ? 0 : 1;
            }
        }

        Assert.InRange(known, 4000, 64 * 0x900);
    }
}
