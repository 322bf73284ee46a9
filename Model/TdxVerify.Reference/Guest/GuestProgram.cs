using TdxVerify.Abi;

namespace TdxVerify.Reference;

/// <summary>
/// What runs in the guest of a vCPU: one operation, done once, and what became of it (Hardware/README.md, "The
/// vCPU's conventions"). It belongs to the port, not to the module.
/// </summary>
internal sealed class GuestProgram
{
    /// <summary>An operation was submitted since the vCPU was created.</summary>
    public bool Submitted;

    /// <summary>The operation is still to be done; false: the vCPU is idle.</summary>
    public bool Pending;
    public GuestOperation Operation;
    public GuestResult Result;

    public void Submit(in GuestOperation operation)
    {
        Submitted = true;
        Pending = true;
        Operation = operation;
        Result = default;
    }

    public void Complete()
    {
        Pending = false;
        Result.Completed = true;
    }

    public void Return(in RegisterFile registers)
    {
        Complete();
        Result.Registers = registers;
    }

    /// <summary>A #VE or another exception took its place.</summary>
    public void Drop(bool virtualizationException)
    {
        Pending = false;
        Result.VirtualizationException = virtualizationException;
    }

    public void Reset()
    {
        Submitted = false;
        Pending = false;
        Result = default;
    }
}
