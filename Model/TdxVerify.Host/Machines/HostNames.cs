namespace TdxVerify.Host;

/// <summary>The numbers of what programs call by name: locks, variables, requests, codes. In order of their names, so that the same configuration has the same.</summary>
internal sealed class HostNames
{
    private const int MostVcpus = 8;

    private readonly List<string> _locks = [];
    private readonly List<string> _variables = [];
    private readonly List<string> _requests = [];
    private readonly List<string> _codes = [];

    public void Add(IEnumerable<HostAction> actions)
    {
        HostAction[] all = [.. actions];
        Fill(_variables, [.. all.Select(VariableIn), BugVmAction.VmDead]);
        Fill(_requests, [.. all.Select(RequestIn), BugVmAction.VmDeadRequest]);
        Fill(_codes, [.. all.OfType<ReturnAction>().Select(action => action.Code)]);
        Fill(_locks, [.. all.Select(LockIn), KernelLocks.MmuLock, .. Enumerable.Range(0, MostVcpus).Select(KernelLocks.VcpuMutex)]);
    }

    public int LockOf(string name) => _locks.IndexOf(name);

    /// <summary>The lock of the renamed vCPU, where the lock is one of a vCPU.</summary>
    public int RenameLock(int number, Func<int, int> vcpu)
    {
        for (int i = 0; i < MostVcpus; i++)
        {
            if (_locks[number] == KernelLocks.VcpuMutex(i))
                return LockOf(KernelLocks.VcpuMutex(vcpu(i)));
        }

        return number;
    }

    public int VariableOf(string name) => _variables.IndexOf(name);

    public ulong RequestBit(string name) => 1UL << _requests.IndexOf(name);

    public int CodeOf(string code) => _codes.IndexOf(code);

    public string Code(int number) => _codes[number];

    private static string? VariableIn(HostAction action) => action switch
    {
        WriteVariableAction write => write.Variable,
        TestVariableAction test => test.Variable,
        CountVariableAction count => count.Variable,
        _ => null,
    };

    private static string? RequestIn(HostAction action) => action switch
    {
        MakeRequestAction make => make.Request,
        CheckRequestAction check => check.Request,
        ClearRequestAction clear => clear.Request,
        KickAction kick => kick.Request,
        _ => null,
    };

    private static string? LockIn(HostAction action) => action switch
    {
        TakeLockAction take => take.Lock,
        DropLockAction drop => drop.Lock,
        IsContendedAction contended => contended.Lock,
        _ => null,
    };

    private static void Fill(List<string> names, IEnumerable<string?> found) => names.AddRange(found.OfType<string>().Distinct().Order(StringComparer.Ordinal));
}
