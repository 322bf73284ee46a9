using TdxVerify.Abi;
using TdxVerify.Host;
using TdxVerify.Model;
using Xunit;
using static TdxVerify.Host.Do;
using static TdxVerify.Host.When;

namespace TdxVerify.Tests.Host;

public sealed class ProgramCheckTests
{
    private static readonly HostProgram s_called = HostProgram.Named("called")
        .State("choice", Perhaps("signal")).On(Yes, "return -EINTR").On(No, "return RET_PF_RETRY")
        .Build();

    public static TheoryData<string, string> Faults => new()
    {
        { "unknown state", "p: state a (goto) leads to b, which is no state." },
        { "unreachable state", "p: state b is never reached." },
        { "ignored status", "p: state a (TDH.MEM.TRACK) ignores its result: test it with On(...) and Otherwise(...), or say Whatever(...)." },
        { "unhandled status", "p: state a (TDH.MEM.TRACK) does not say what follows from every result, such as TDX_OPERAND_BUSY: add Otherwise(...)." },
        { "unhandled no", "p: state a (mmu_invalidate_retry?) does not say what follows from every result: add On(Yes, ...) and On(No, ...)." },
        { "unhandled code", "p: state a (called()) does not say what follows from every result: add Otherwise(...)." },
        { "wrong test", "p: state a (srcu_read_lock) cannot be tested for 'yes'." },
        { "loop without an access", "p: state a comes back to itself without an access to shared state." },
        { "two of one name", "p: state a is declared twice." },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_program_that_is_not_well_formed_is_refused_with_the_reason(string fault, string reason) =>
        Assert.Equal(reason, Assert.Throws<ProgramException>(() => Faulty(fault)).Message);

    [Fact]
    public void A_result_may_be_ignored_on_purpose_and_every_code_of_a_callee_be_named()
    {
        HostProgram program = HostProgram.Named("p")
            .State("a", Seamcall(HostLeaf.TDH_MEM_TRACK)).Whatever("b")
            .State("b", Call(s_called)).On(Returned("-EINTR"), "done").On(Returned("RET_PF_RETRY"), "a")
            .Build();

        Assert.Equal(["a", "b", "done"], program.States.Select(state => state.Name));
        Assert.Equal([program, s_called], program.WithCalled());
    }

    [Fact]
    public void A_mask_test_takes_a_status_that_only_shares_bits_and_a_class_test_does_not()
    {
        var answer = new Answer(new RegisterFile { Rax = Status.TDX_EPT_WALK_FAILED | 1 });

        Assert.True(AnyBitOf(Status.TDX_OPERAND_BUSY).Holds(answer));
        Assert.False(Busy.Holds(answer));
    }

    [Fact]
    public void An_agent_is_refused_that_lacks_what_its_program_works_on()
    {
        var configuration = new Configuration("c") { Agents = [new HostAgent("blocker", SmallPrograms.Block)] };
        Assert.Equal("c: blocker: its program needs a GPA; give the agent one with Gpas = [...]", Assert.Throws<ProgramException>(() => new HostMachine(configuration)).Message);

        configuration = configuration with { Agents = [new HostAgent("runner", SmallPrograms.EnterLoop)] };
        Assert.Equal(
            "c: runner: state enter (TDH.VP.ENTER) needs a vCPU; give the agent one with Vcpu = ...", Assert.Throws<ProgramException>(() => new HostMachine(configuration)).Message);
    }

    [Fact]
    public void A_program_is_drawn_with_its_actions_and_tests()
    {
        string mermaid = MermaidWriter.Write(ProgramGraph.Of(SmallPrograms.EnterWithMode));

        Assert.Contains("[*] --> E5", mermaid, StringComparison.Ordinal);
        Assert.Contains("E12d --> E13 : TD exit by an interrupt", mermaid, StringComparison.Ordinal);
        Assert.Contains("done --> [*]", mermaid, StringComparison.Ordinal);
        Assert.Contains("vcpu->mode = IN_GUEST_MODE", mermaid, StringComparison.Ordinal);
        Assert.Contains("E5 -> E6", DotWriter.Write(ProgramGraph.Of(SmallPrograms.EnterWithMode)), StringComparison.Ordinal);
    }

    private static HostProgram Faulty(string fault) => fault switch
    {
        "unknown state" => HostProgram.Named("p").State("a", Goto).Next("b").Build(),
        "unreachable state" => HostProgram.Named("p").State("a", SrcuReadLock).Next("done").State("b", SrcuReadLock).Next("done").Build(),
        "ignored status" => HostProgram.Named("p").State("a", Seamcall(HostLeaf.TDH_MEM_TRACK)).Next("done").Build(),
        "unhandled status" => HostProgram.Named("p").State("a", Seamcall(HostLeaf.TDH_MEM_TRACK)).On(Success, "done").Build(),
        "unhandled no" => HostProgram.Named("p").State("a", InvalidateRetry).On(Yes, "done").Build(),
        "unhandled code" => HostProgram.Named("p").State("a", Call(s_called)).On(Returned("-EINTR"), "done").Build(),
        "wrong test" => HostProgram.Named("p").State("a", SrcuReadLock).On(Yes, "done").Build(),
        "loop without an access" => HostProgram.Named("p").State("a", Perhaps("event")).On(Yes, "a").On(No, "done").Build(),
        _ => HostProgram.Named("p").State("a", SrcuReadLock).Next("a").State("a", SrcuReadLock).Next("a").Build(),
    };
}
