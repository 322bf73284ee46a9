using System.Buffers.Binary;
using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Host;

/// <summary>Brings the TD of a configuration into being by the calls that a host makes.</summary>
internal sealed class TdSetup
{
    private const int ParametersSize = 1024;
    private const ulong SeptVeDisable = 0x1000_0000;

    private readonly Configuration _configuration;
    private readonly TdPages _pages;
    private readonly ModelPort<CellState> _port;

    private TdSetup(Configuration configuration, TdPages pages, ModelPort<CellState> port)
    {
        _configuration = configuration;
        _pages = pages;
        _port = port;
    }

    private TdLayout Td => _configuration.Td;

    /// <summary>The state of the module at the start, and the cells that hold it.</summary>
    public static CellState Run(Configuration configuration, PlatformInfo platform, TdPages pages, LeafSet<CellState> leaves)
    {
        var state = new CellState(platform, new StoredCells());
        using var port = new ModelPort<CellState>(state, leaves);
        port.Reset();
        new TdSetup(configuration, pages, port).Run();
        configuration.Prepare?.Invoke(port, pages);
        return port.Machine.State;
    }

    private void Run()
    {
        ulong tdr = _pages.Address(TdPages.Tdr);
        Call(HostLeaf.TDH_MNG_CREATE, tdr, (ulong)_pages.Hkid);
        Call(HostLeaf.TDH_MNG_KEY_CONFIG, tdr);
        for (int i = 0; i < _port.Platform.TdcsPages; i++)
            Call(HostLeaf.TDH_MNG_ADDCX, _pages.Address(TdPages.FirstTdcs + i), tdr);
        ulong parameters = _pages.Address(TdPages.Parameters);
        _port.MemoryWrite(parameters, Parameters());
        Call(HostLeaf.TDH_MNG_INIT, tdr, parameters);
        for (int vcpu = 0; vcpu < (Td.InitialisedVcpus ?? Td.Vcpus); vcpu++)
            Initialise(vcpu, tdr);
        AddTables(tdr);
        AddPages(tdr);
    }

    private void Initialise(int vcpu, ulong tdr)
    {
        ulong tdvpr = _pages.Address(TdPages.Tdvpr(vcpu));
        Call(HostLeaf.TDH_VP_CREATE, tdvpr, tdr);
        for (int i = 1; i <= _port.Platform.TdvpxPages; i++)
            Call(HostLeaf.TDH_VP_ADDCX, tdvpr + ((ulong)i << Hpa.PageShift), tdvpr);
        Call(HostLeaf.TDH_VP_INIT, tdvpr, lp: vcpu);
    }

    private void AddTables(ulong tdr)
    {
        for (int level = SeptLevel.Pml4; level >= SeptLevel.Page1G; level--)
            Call(HostLeaf.TDH_MEM_SEPT_ADD, PageInfo.Of(_pages.Gpa(0) & ~(SeptLevel.Size(level) - 1), level).Value, tdr, _pages.Address(_pages.TableOf(0, level)));
        HashSet<int> regions = [];
        for (int gpa = 0; gpa < Td.Gpas.Length; gpa++)
        {
            if (Td.Gpas[gpa] is not { Level: SeptLevel.Page4K, HasTable: true } || !regions.Add(_pages.Region(gpa)))
                continue;
            ulong region = _pages.Gpa(gpa) & ~(SeptLevel.Size(SeptLevel.Page2M) - 1);
            Call(HostLeaf.TDH_MEM_SEPT_ADD, PageInfo.Of(region, SeptLevel.Page2M).Value, tdr, _pages.Address(_pages.TableOf(gpa, SeptLevel.Page2M)));
        }
    }

    // A 2 MiB page can only be added after the TD was finalized, and then only the guest could accept it.
    private void AddPages(ulong tdr)
    {
        for (int gpa = 0; gpa < Td.Gpas.Length; gpa++)
        {
            if (Td.Gpas[gpa].Start is not (GpaStart.Mapped or GpaStart.Blocked))
                continue;
            if (Td.Gpas[gpa].Level != SeptLevel.Page4K)
                throw new ProgramException($"{_configuration.Name}: gpa{gpa}: a 2 MiB page cannot be {Td.Gpas[gpa].Start} at the start; let the guest accept it.");
            Call(HostLeaf.TDH_MEM_PAGE_ADD, _pages.Gpa(gpa), tdr, _pages.Address(_pages.PageOf(gpa)), _pages.Address(TdPages.Parameters));
        }

        if (Td.IsFinalized)
            Call(HostLeaf.TDH_MR_FINALIZE, tdr);
        for (int gpa = 0; gpa < Td.Gpas.Length; gpa++)
        {
            ulong entry = PageInfo.Of(_pages.Gpa(gpa), Td.Gpas[gpa].Level).Value;
            if (Td.Gpas[gpa].Start is GpaStart.Pending or GpaStart.PendingBlocked)
                Call(HostLeaf.TDH_MEM_PAGE_AUG, entry, tdr, _pages.Address(_pages.PageOf(gpa)));
            if (Td.Gpas[gpa].Start is GpaStart.Blocked or GpaStart.PendingBlocked)
                Call(HostLeaf.TDH_MEM_RANGE_BLOCK, entry, tdr);
        }
    }

    private byte[] Parameters()
    {
        var image = new byte[ParametersSize];
        BinaryPrimitives.WriteUInt64LittleEndian(image, Td.SeptVeDisable ? SeptVeDisable : 0);
        BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(8), 3);
        BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(16), (ushort)Td.Vcpus);
        BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(24), 0x1E);
        BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(40), 40);
        return image;
    }

    private void Call(HostLeaf leaf, ulong rcx, ulong rdx = 0, ulong r8 = 0, ulong r9 = 0, int lp = 0)
    {
        var registers = new RegisterFile { Rax = (ulong)leaf, Rcx = rcx, Rdx = rdx, R8 = r8, R9 = r9 };
        PortResult result = _port.Seamcall(lp, ref registers);
        if (result != PortResult.Ok || registers.Rax != Status.TDX_SUCCESS)
            throw new ProgramException($"{_configuration.Name}: the set-up fails at {leaf.Name()}: {result}, {StatusTable.NameOf(registers.Rax)}.");
    }
}
