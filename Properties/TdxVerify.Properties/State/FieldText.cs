using TdxVerify.Model;

namespace TdxVerify.Properties.State;

/// <summary>A field of the state: its name in the specification, and how its values are written.</summary>
/// <param name="Name">The name.</param>
/// <param name="Write">The value as text.</param>
internal sealed record FieldText(string Name, Func<IState, ulong, string> Write)
{
    private static readonly FieldText[] s_td = Table<TdField>(new()
    {
        [TdField.TdrPage] = Page("TDR page"),
        [TdField.Fatal] = Flag("FATAL"),
        [TdField.Lifecycle] = Enum<TdLifecycle>("lifecycle"),
        [TdField.Hkid] = Number("HKID"),
        [TdField.KeysConfigured] = Hex("packages with the key"),
        [TdField.TdcsPages] = Number("TDCS pages"),
        [TdField.ChildCount] = Number("child count"),
        [TdField.OpState] = Enum<OpState>("OP_STATE"),
        [TdField.OpStateLock] = HostPriority("OP_STATE lock"),
        [TdField.SeptTreeLock] = Plain("S-EPT tree lock"),
        [TdField.EpochLock] = Plain("TD epoch lock"),
        [TdField.Epoch] = Number("TD_EPOCH"),
        [TdField.RefCountEven] = Number("REFCOUNT[0]"),
        [TdField.RefCountOdd] = Number("REFCOUNT[1]"),
        [TdField.NumVcpus] = Number("NUM_VCPUS"),
        [TdField.AssociatedVcpus] = Number("associated vCPUs"),
        [TdField.MaxVcpus] = Number("MAX_VCPUS"),
        [TdField.Attributes] = Hex("ATTRIBUTES"),
        [TdField.Xfam] = Hex("XFAM"),
        [TdField.ConfigFlags] = Hex("CONFIG_FLAGS"),
        [TdField.EptpControls] = Hex("EPTP_CONTROLS"),
        [TdField.TscFrequency] = Number("TSC_FREQUENCY"),
        [TdField.RootLevel] = Number("level of the root's entries"),
        [TdField.RootTable] = new("S-EPT root", (state, table) => StateText.Page(state, state.TablePage((int)table))),
        [TdField.PendingVeDisable] = Flag("PENDING_VE_DISABLE"),
        [TdField.TopologyEnumConfigured] = Flag("TOPOLOGY_ENUM_CONFIGURED"),
    });

    private static readonly FieldText[] s_vcpu = Table<VcpuField>(new()
    {
        [VcpuField.TdvprPage] = Page("TDVPR page"),
        [VcpuField.Pages] = Number("TDVPS pages"),
        [VcpuField.State] = Enum<VcpuState>("state"),
        [VcpuField.AssociatedLp] = new("associated with", (_, lp) => lp == 0 ? "no LP" : $"LP {lp - 1}"),
        [VcpuField.Epoch] = Number("vCPU epoch"),
        [VcpuField.Index] = Number("index"),
        [VcpuField.LastExit] = Enum<LastTdExit>("last TD exit"),
        [VcpuField.Rip] = Hex("RIP"),
        [VcpuField.FaultCount] = Number("fault counter"),
        [VcpuField.FaultListLength] = Number("faulting GPAs listed"),
        [VcpuField.VeValid] = Flag("VE info valid"),
        [VcpuField.VeExitReason] = Number("VE info exit reason"),
        [VcpuField.VeQualification] = Hex("VE info exit qualification"),
        [VcpuField.VeGla] = Hex("VE info GLA"),
        [VcpuField.VeGpa] = Hex("VE info GPA"),
    });

    private static readonly FieldText[] s_lp = Table<LpField>(new()
    {
        [LpField.RipAtEntry] = Hex("RIP at entry"),
        [LpField.LastVcpu] = Vcpu("last vCPU"),
        [LpField.RunningVcpu] = Vcpu("runs"),
    });

    private static readonly FieldText[] s_key = Table<KeyField>(new()
    {
        [KeyField.State] = Enum<HkidState>("state"),
        [KeyField.WritebackBitmap] = Hex("packages to write back"),
    });

    private static readonly FieldText[] s_global = Table<GlobalField>(new()
    {
        [GlobalField.KotLock] = Plain("KOT lock"),
        [GlobalField.WritebackMutex] = new("cache write-back mutex", (_, word) => word == 0 ? "free" : "taken"),
        [GlobalField.WritebackPoint] = Number("cache sub-blocks written back"),
        [GlobalField.WritebackKeys] = Hex("HKIDs being written back"),
        [GlobalField.InterruptPending] = Flag("external interrupt pending"),
    });

    public static FieldText Of(TdField field) => s_td[(int)field];

    public static FieldText Of(VcpuField field) => s_vcpu[(int)field];

    public static FieldText Of(LpField field) => s_lp[(int)field];

    public static FieldText Of(KeyField field) => s_key[(int)field];

    public static FieldText Of(GlobalField field) => s_global[(int)field];

    private static FieldText Number(string name) => new(name, (_, value) => $"{value}");

    private static FieldText Hex(string name) => new(name, (_, value) => $"0x{value:x}");

    private static FieldText Flag(string name) => new(name, (_, value) => value == 0 ? "no" : "yes");

    private static FieldText Enum<T>(string name)
        where T : struct, Enum => new(name, (_, value) => System.Enum.ToObject(typeof(T), value).ToString()!);

    private static FieldText Plain(string name) => new(name, (_, word) => StateText.PlainLockWord(word));

    private static FieldText HostPriority(string name) => new(name, (_, word) => StateText.HostPriorityLockWord(word));

    private static FieldText Page(string name) => new(name, (state, page) => StateText.Page(state, (long)page));

    private static FieldText Vcpu(string name) =>
        new(name, (state, vcpu) => vcpu == 0 ? "no vCPU" : StateText.Vcpu(state, (int)vcpu - 1));

    // Fails at once where a field of the state has no text.
    private static FieldText[] Table<T>(Dictionary<T, FieldText> texts)
        where T : struct, Enum => [.. System.Enum.GetValues<T>().Select(field => texts[field])];
}
