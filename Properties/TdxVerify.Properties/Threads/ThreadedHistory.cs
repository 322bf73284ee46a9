using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;

namespace TdxVerify.Properties.Threads;

/// <summary>A history that is being made: a TD on a fresh platform, then rounds in which the threads work on it.</summary>
internal sealed class ThreadedHistory
{
    private readonly IPort _port;
    private readonly PortThreads _threads;
    private readonly ThreadStage _stage;
    private readonly RoundGenerator _generator;
    private readonly int _threadCount;
    private readonly Dictionary<ulong, GuestOperation> _told = [];

    /// <summary>A history that follows from a seed, as far as threads let it.</summary>
    public ThreadedHistory(IPort port, PortThreads threads, int threadCount, int seed)
    {
        _port = port;
        _threads = threads;
        _threadCount = threadCount;
        _stage = new ThreadStage(port.Platform, threadCount);
        _generator = new RoundGenerator(_stage, new Random(seed));
    }

    /// <summary>All events so far.</summary>
    public List<TraceEvent> Events { get; } = [];

    /// <summary>What the port said to a call that it did not carry out; else <see cref="PortResult.Ok"/>.</summary>
    public PortResult Result { get; private set; }

    /// <summary>Builds the TD. Afterwards no call is in flight.</summary>
    public void Start(int sequence)
    {
        _port.Reset();
        Events.Add(TraceEvent.OfReset(sequence));
        foreach (TraceEvent e in _stage.Preparation.Concat(_generator.ReadBack()))
            Do(e);
    }

    /// <summary>A round. Afterwards no call is in flight.</summary>
    public void Round()
    {
        _generator.Begin();
        foreach (ulong vcpu in _stage.Vcpus)
            Tell(vcpu, _generator.Operation());
        var calls = new List<TraceEvent[]>();
        for (int lp = 0; lp < _threadCount; lp++)
            calls.Add([.. _generator.Calls(lp)]);
        var made = new List<TraceEvent>();
        Result = _threads.Run(calls, made);
        AddWithResults(made);
        if (Result != PortResult.Ok)
            return;
        foreach (TraceEvent e in _generator.ReadBack())
            Do(e);
    }

    private void Tell(ulong vcpu, in GuestOperation operation)
    {
        _port.GuestSubmit(vcpu, operation);
        _told[vcpu] = operation;
        Events.Add(TraceEvent.OfGuest(vcpu, operation));
    }

    // What became of an operation is known once all calls have ended. It is told after the last entry of its vCPU: no
    // later call changes it.
    private void AddWithResults(List<TraceEvent> made)
    {
        var last = new Dictionary<ulong, int>();
        for (int i = 0; i < made.Count; i++)
        {
            if (made[i].Kind == TraceEventKind.End && (HostLeaf)LeafNames.Number(made[i].Input.Rax) == HostLeaf.TDH_VP_ENTER)
                last[made[i].Input.Rcx] = i;
        }

        for (int i = 0; i < made.Count; i++)
        {
            Events.Add(made[i]);
            ulong vcpu = made[i].Input.Rcx;
            if (last.GetValueOrDefault(vcpu, -1) == i && _port.GuestResult(vcpu, out GuestResult result) == PortResult.Ok)
                Events.Add(Tell(vcpu, result));
        }
    }

    private TraceEvent Tell(ulong vcpu, in GuestResult result) => result.Completed && _told[vcpu].Kind == GuestOperationKind.Tdcall
        ? TraceEvent.OfGuestResult(vcpu, _told[vcpu].Registers, result)
        : TraceEvent.OfGuestResult(vcpu, result.Completed, result.VirtualizationException);

    private void Do(TraceEvent e)
    {
        if (Result != PortResult.Ok)
            return;
        if (e.Kind == TraceEventKind.Write)
        {
            Result = _port.MemoryWrite(e.Hpa, e.Data);
        }
        else
        {
            RegisterFile registers = e.Input;
            Result = _port.Seamcall(e.Lp, ref registers);
            e.Answer(registers);
            _generator.Learn(e);
        }

        if (Result == PortResult.Ok)
            Events.Add(e);
    }
}
