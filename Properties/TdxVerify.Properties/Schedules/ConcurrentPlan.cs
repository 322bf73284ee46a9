using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Properties.Runs;

namespace TdxVerify.Properties.Schedules;

/// <summary>A call that overlaps with others.</summary>
/// <param name="Lp">The logical processor. Calls of one processor are made one after the other.</param>
/// <param name="Registers">The registers of the SEAMCALL.</param>
/// <param name="Choice">The choice point that fails in it; None: none.</param>
/// <param name="Guest">What a vCPU is told to do when the call begins; null: nothing new.</param>
public sealed record ConcurrentCall(int Lp, RegisterFile Registers, ChoicePoint Choice = ChoicePoint.None, TraceEvent? Guest = null);

/// <summary>Calls that overlap, and the platform that they start from. A schedule decides the rest.</summary>
/// <param name="Platform">The platform.</param>
/// <param name="Setup">What is done before, one event after the other.</param>
/// <param name="Calls">The calls; those of one processor in their order.</param>
public sealed record ConcurrentPlan(PlatformInfo Platform, IReadOnlyList<PlannedEvent> Setup, IReadOnlyList<ConcurrentCall> Calls);
