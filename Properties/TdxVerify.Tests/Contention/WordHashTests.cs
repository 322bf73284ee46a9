using TdxVerify.Abi;
using TdxVerify.Model;
using TdxVerify.Properties.Contention;
using Xunit;

namespace TdxVerify.Tests.Contention;

public class WordHashTests
{
    // Two vCPUs whose TDG.MEM.PAGE.ACCEPT both found the entry busy, and the same two when both found the page accepted:
    // where the registers of the two cancelled each other, a search took the one for the other.
    [Fact]
    public void The_same_answer_to_two_vCPUs_is_not_the_same_as_another_answer_to_both()
    {
        GuestProgram busy = Answered(Status.TDX_OPERAND_BUSY | (ulong)OperandId.RCX);
        GuestProgram accepted = Answered(Status.TDX_PAGE_ALREADY_ACCEPTED);

        Assert.NotEqual(Both(busy, busy), Both(accepted, accepted));
        Assert.NotEqual(Both(busy, accepted), Both(accepted, busy));

        static UInt128 Both(GuestProgram first, GuestProgram second) => WordHash.OfProgram(0, first) ^ WordHash.OfProgram(1, second);
    }

    // A TDCALL that a vCPU's guest was given as its answer, and the SEAMCALL that answers the same.
    [Fact]
    public void What_a_guest_was_shown_does_not_cancel_the_same_registers_elsewhere()
    {
        GuestProgram busy = Answered(Status.TDX_OPERAND_BUSY | (ulong)OperandId.RCX);
        GuestProgram accepted = Answered(Status.TDX_PAGE_ALREADY_ACCEPTED);

        Assert.NotEqual(With(busy), With(accepted));

        static UInt128 With(GuestProgram program) => WordHash.OfProgram(0, program) ^ WordHash.OfWords(ref program.Result.Registers);
    }

    private static GuestProgram Answered(ulong status)
    {
        var program = new GuestProgram();
        program.Submit(default);
        program.Result.Completed = true;
        program.Result.Registers.Rax = status;
        return program;
    }
}
