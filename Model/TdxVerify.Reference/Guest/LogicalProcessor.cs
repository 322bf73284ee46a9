namespace TdxVerify.Reference;

/// <summary>What a logical processor keeps between its calls, and while a vCPU runs on it.</summary>
internal sealed unsafe class LogicalProcessor
{
    public LogicalProcessor(int index) => Index = index;

    public int Index { get; }

    /// <summary>RIP of the vCPU at its last TDH.VP.ENTER that reached the stepping filter.</summary>
    public ulong RipAtEntry;

    /// <summary>A vCPU is in the guest here; what follows is then what TDH.VP.ENTER keeps.</summary>
    public bool Running;
    public ulong TdvprHpa;
    public Tdvps* Vcpu;
    public Tdcs* Tdcs;
    public PageLock TdvprLock;
    public PamtEntry* TdrEntry;

    /// <summary>The host's RBP, which a TD with NO_RBP_MOD leaves alone.</summary>
    public ulong HostRbp;

    public void Reset()
    {
        RipAtEntry = 0;
        Running = false;
    }
}
