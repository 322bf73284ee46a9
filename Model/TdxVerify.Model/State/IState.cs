using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>
/// The state of the module, as the one schema behind all layouts: objects (PAMT entries, TDs, vCPUs, logical
/// processors, keys, S-EPT entries) with fields that are numbers. Every access that a leaf makes to shared state is
/// one of these calls, so a layout decides how state is stored, and an observing layout sees each change.
/// TDs, vCPUs and S-EPT tables are named by handles; a page that holds one leads to it by <see cref="Holder"/>.
/// Pages are counted from the start of the TDMR.
/// </summary>
public interface IState
{
    /// <summary>
    /// On this layout a call may make an attempt at a lock one atomic instruction after the other
    /// (<see cref="Call.SplitsLocks"/>). A layout on which none does says so, and the JIT leaves it out of every leaf.
    /// </summary>
    static virtual bool MaySplitLocks => true;

    /// <summary>The platform.</summary>
    PlatformInfo Platform { get; }

    /// <summary>A field of a PAMT entry.</summary>
    ulong Pamt(PamtRef at, PamtField field);

    /// <summary>Writes a field of a PAMT entry.</summary>
    void SetPamt(PamtRef at, PamtField field, ulong value);

    /// <summary>A PAMT entry and those of its size that follow it, so many in all, have this type.</summary>
    bool AreAll(PamtRef first, int count, PageType type);

    /// <summary>A field of a TD.</summary>
    ulong Td(int td, TdField field);

    /// <summary>Writes a field of a TD.</summary>
    void SetTd(int td, TdField field, ulong value);

    /// <summary>A field of a vCPU.</summary>
    ulong Vcpu(int vcpu, VcpuField field);

    /// <summary>Writes a field of a vCPU.</summary>
    void SetVcpu(int vcpu, VcpuField field, ulong value);

    /// <summary>A GPA of a vCPU's list of faulting GPAs.</summary>
    ulong FaultingGpa(int vcpu, int position);

    /// <summary>Writes a GPA of a vCPU's list of faulting GPAs.</summary>
    void SetFaultingGpa(int vcpu, int position, ulong gpa);

    /// <summary>A field of a logical processor.</summary>
    ulong Lp(int lp, LpField field);

    /// <summary>Writes a field of a logical processor.</summary>
    void SetLp(int lp, LpField field, ulong value);

    /// <summary>A field of a key ownership table entry.</summary>
    ulong Key(int hkid, KeyField field);

    /// <summary>Writes a field of a key ownership table entry.</summary>
    void SetKey(int hkid, KeyField field, ulong value);

    /// <summary>A field of the platform.</summary>
    ulong Global(GlobalField field);

    /// <summary>Writes a field of the platform.</summary>
    void SetGlobal(GlobalField field, ulong value);

    /// <summary>An x2APIC id slot of a TD (profile 1.5.05).</summary>
    uint X2ApicId(int td, int vcpuIndex);

    /// <summary>Writes an x2APIC id slot of a TD.</summary>
    void SetX2ApicId(int td, int vcpuIndex, uint id);

    /// <summary>An S-EPT entry.</summary>
    SeptEntry Entry(EntryRef at);

    /// <summary>Writes an S-EPT entry.</summary>
    void SetEntry(EntryRef at, SeptEntry entry);

    /// <summary>The page index of an S-EPT table.</summary>
    int TablePage(int table);

    /// <summary>The handle of the TD, vCPU or S-EPT table that a page holds; which, its PAMT type says.</summary>
    int Holder(int page);

    /// <summary>A new TD in a page, all fields 0.</summary>
    int NewTd(int page);

    /// <summary>A new vCPU in a page, all fields 0.</summary>
    int NewVcpu(int page);

    /// <summary>A new S-EPT table in a page, all entries FREE.</summary>
    int NewTable(int page);

    /// <summary>The TD is gone.</summary>
    void FreeTd(int td);

    /// <summary>The vCPU is gone.</summary>
    void FreeVcpu(int vcpu);

    /// <summary>The S-EPT table is gone.</summary>
    void FreeTable(int table);

    /// <summary>Eight bytes of host-written memory at an address that is a multiple of 8; 0 where nothing was written.</summary>
    ulong Memory(ulong hpa);

    /// <summary>The processor drops every translation of the TD that it may hold (INVEPT). No outcome depends on it.</summary>
    void InvalidateEpt(int lp, int td);
}
