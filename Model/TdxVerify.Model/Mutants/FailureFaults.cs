using TdxVerify.Abi;

namespace TdxVerify.Model.Mutants;

/// <summary>Faults in how a call ends: its status, its operand id, its registers, or the way it ends.</summary>
internal static class FailureFaults
{
    /// <summary>The faults of a failure, in words and as the failure that replaces it.</summary>
    /// <param name="failure">The failure as declared.</param>
    /// <param name="hasEntry">The list of steps walks the S-EPT: there is an entry that could be returned.</param>
    public static IEnumerable<(MutantKind Kind, string Fault, Failure Failure)> Of(Failure failure, bool hasEntry)
    {
        if (failure.End is not (CallEnd.Returned or CallEnd.EmulatedEptViolation))
        {
            CallEnd other = Other(failure.End);
            yield return (MutantKind.FailureAltered, $"ends as {other} instead of {failure.End}", failure with { End = other });
            yield break;
        }

        ulong status = OtherClass(failure.Status);
        yield return (MutantKind.StatusAltered, $"status altered to {new StatusCode(status & StatusCode.NameMask)}", failure with { Status = status });
        yield return (MutantKind.OperandAltered, "operand id altered", failure with { Status = failure.Status ^ 1 });
        if (failure.Detail == FailureDetail.CpuidLeaf)
            // The check sets the register itself, so it must be overwritten.
            yield return (MutantKind.FailureAltered, $"{failure.Detail} not returned", failure with { Detail = FailureDetail.InputsRestored });
        else if (failure.Detail != FailureDetail.None)
            yield return (MutantKind.FailureAltered, $"{failure.Detail} not returned", failure with { Detail = FailureDetail.None });
        else if (hasEntry)
            yield return (MutantKind.FailureAltered, "SeptEntry returned", failure with { Detail = FailureDetail.SeptEntry });
    }

    /// <summary>A status of another class, with the same operand id.</summary>
    public static ulong OtherClass(ulong status)
    {
        ulong name = (status & StatusCode.NameMask) == Status.TDX_OPERAND_INVALID ? Status.TDX_OPERAND_BUSY : Status.TDX_OPERAND_INVALID;
        return name | (uint)status;
    }

    private static CallEnd Other(CallEnd end) => end switch
    {
        CallEnd.EptViolation => CallEnd.InterruptExit,
        CallEnd.PageFault => CallEnd.VirtualizationException,
        CallEnd.AccessDone or CallEnd.VirtualizationException => CallEnd.PageFault,
        _ => CallEnd.EptViolation,
    };
}
