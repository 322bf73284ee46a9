using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;

namespace TdxVerify.Properties.Generation;

/// <summary>What one operation of a stream was decoded into: at most two events, of which the second is the call.</summary>
public struct Operation
{
    /// <summary>An event that prepares the call: what the vCPU does next, or memory written; its kind is None where there is none.</summary>
    public TraceEvent Prelude;

    /// <summary>There is a prelude.</summary>
    public bool HasPrelude;

    /// <summary>The event itself.</summary>
    public TraceEvent Event;

    /// <summary>A choice point that fails from now on, once; None: none.</summary>
    public ChoicePoint Choice;
}
