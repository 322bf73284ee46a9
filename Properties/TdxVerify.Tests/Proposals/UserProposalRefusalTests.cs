using TdxVerify.Properties.UserProposals;
using Xunit;

namespace TdxVerify.Tests.Proposals;

/// <summary>Why a user's proposal is refused, and where in its file.</summary>
public sealed class UserProposalRefusalTests
{
    private const string Kicks = ".State(\"kick\", Kick()).Next(\"return\")";

    /// <summary>The states of a removal, with all that is said against it.</summary>
    public static TheoryData<string, string[]> Programs => new()
    {
        {
            ".State(\"a\", Kick()).Next(\"b\")",
            ["3: remove: state a (kvm_make_all_cpus_request(KVM_REQ_OUTSIDE_GUEST_MODE)) leads to b, which is no state."]
        },
        {
            """
            .State("a", Seamcall(HostLeaf.TDH_MEM_RANGE_BLOCK))
                .On(Success, "return")
                .On(BusyOn(OperandId.SEPT_TREE), "a")
            """,
            ["3: remove: state a (TDH.MEM.RANGE.BLOCK) does not say what follows from every result, such as TDX_OPERAND_BUSY of another operand: add Otherwise(...)."]
        },
        {
            ".State(\"a\", Seamcall(HostLeaf.TDH_MEM_RANGE_BLOCK)).On(Success, \"return\").On(Busy, \"a\")",
            ["3: remove: state a (TDH.MEM.RANGE.BLOCK) does not say what follows from every result, such as an error other than TDX_OPERAND_BUSY: add Otherwise(...)."]
        },
        {
            ".State(\"a\", Seamcall(HostLeaf.TDH_MEM_TRACK)).Next(\"return\")",
            ["3: remove: state a (TDH.MEM.TRACK) ignores its result: test it with On(...) and Otherwise(...), or say Whatever(...)."]
        },
        {
            """
            .State("a", Seamcall(HostLeaf.TDH_MEM_TRACK)).On(Success, "return").Otherwise("b")
            .State("b", Kick()).Next("c")
            .State("c", Seamcall(HostLeaf.TDH_MEM_TRACK)).Whatever("b")
            """,
            ["4: remove: state b (kvm_make_all_cpus_request(KVM_REQ_OUTSIDE_GUEST_MODE)): from there (nor from c) no way leads back to the caller or to the end: return, return CODE, return status or done."]
        },
        {
            """
            .State("a", Kick()).Next("return")
            .State("b", Kick()).Next("return")
            .State("a", Kick()).Next("b")
            """,
            ["4: remove: state b is never reached.", "5: remove: state a is declared twice."]
        },
        {
            ".State(\"a\", Test(\"flag\")).On(Yes, \"return\").On(No, \"a\")",
            ["3: remove: state a (flag?) comes back to itself with mmu_lock held for write, without a SEAMCALL and without bound: nobody who needs the lock can end that. Bound it with CountBelow(...), or drop the lock in it."]
        },
        {
            ".State(\"a\", Goto).Next(\"b\").State(\"b\", Perhaps(\"event\")).On(Yes, \"a\").On(No, \"return\")",
            ["3: remove: state a comes back to itself without an access to shared state.", "3: remove: state b comes back to itself without an access to shared state."]
        },
        {
            ".State(\"a\", UnlockMmu).Next(\"return\")",
            ["2: remove: returns without mmu_lock, which its caller tdp_mmu_zap_leafs holds."]
        },
        {
            """
            .State("a", WriteLockMmu).Next("b")
            .State("b", UnlockMmu).Next("return")
            """,
            ["3: remove: state a (write_lock(mmu_lock)) takes mmu_lock, which is held there already: it would wait for itself."]
        },
        {
            ".State(\"a\", SrcuReadUnlock).Next(\"return\")",
            ["3: remove: state a (srcu_read_unlock) leaves an SRCU read section in which it is not."]
        },
        {
            ".State(\"a\", Kick()).Next(\"return RET_PF_RETRY\")",
            ["2: remove: returns something else than its caller in KVM expects: tdp_mmu_zap_leafs: state R3 (remove()) ignores its result: test it with On(...) and Otherwise(...), or say Whatever(...)."]
        },
        {
            ".State(\"a\", Seamcall(HostLeaf.TDH_SYS_INIT)).Whatever(\"b\").State(\"b\", Kick()).On(Busy, \"return\")",
            ["3: remove: state a: TDH.SYS.INIT is not modelled.", "3: remove: state b (kvm_make_all_cpus_request(KVM_REQ_OUTSIDE_GUEST_MODE)) cannot be tested for 'TDX_OPERAND_BUSY'."]
        },
    };

    /// <summary>The members of a declaration, with all that is said against it.</summary>
    public static TheoryData<string, string[]> Declarations => new()
    {
        {
            """
            static HostProgram Remove() => HostProgram.Named("remove").State("a", Kik()).Next("return").Build()
            static readonly KvmParts s_parts = new() { ZapPage = null };
            """,
            [
                "2:71: error CS0103: The name 'Kik' does not exist in the current context (did you mean Kick?)",
                "2:100: error CS1002: ; expected",
                "3:44: error CS0117: 'KvmParts' does not contain a definition for 'ZapPage' (the parts are Release, MapCall, MapRetries, NoFailCall, LocalRetry, EnterGuest, Map, EptViolation, PendingViolation, RemovePage)",
            ]
        },
        {
            """
            static HostProgram Remove() => Again();
            static HostProgram Again() => HostProgram.Named("again").State("a", Call(Remove())).Next("return").Build();
            """,
            ["3:74: Remove uses itself, which need not end, so no declaration may; a program goes back to an earlier state by naming it: .On(Busy, \"that state\")"]
        },
        {
            "static HostProgram Remove() => HostProgram.Named(\"remove\").State(\"a\", Kick()).Nxt(\"return\").Build();",
            ["2:79: error CS1061: 'ProgramBuilder' does not contain a definition for 'Nxt' and no accessible extension method 'Nxt' accepting a first argument of type 'ProgramBuilder' could be found (did you mean Next?)"]
        },
        {
            """
            static readonly Func<int, HostProgram> s_again = number => s_again(number + 1);
            static HostProgram Remove() => s_again(0);
            """,
            ["2:60: s_again uses itself, which need not end, so no declaration may; a program goes back to an earlier state by naming it: .On(Busy, \"that state\")"]
        },
        {
            """
            static HostProgram Remove()
            {
                int[] none = [];
                return HostProgram.Named($"remove {none[1]}").State("a", Kick()).Next("return").Build();
            }
            """,
            ["5: the declaration fails with IndexOutOfRangeException: Index was outside the bounds of the array."]
        },
        {
            "static HostProgram Remove() => HostProgram.Named(\"remove\").On(Busy, \"a\").Build();",
            ["2: remove: says what follows before its first state."]
        },
        {
            $"static HostProgram Remove() => HostProgram.Named(\"remove\"){Kicks}.Build();\nstatic readonly Proposal s_other = Proposal;",
            ["1:51: declares a proposal, one of 2; a file holds one: leave the others out", "3:26: declares a proposal, one of 2; a file holds one: leave the others out"]
        },
        {
            """
            static HostProgram Remove() => HostProgram.Named("remove").State("a", Call(Typo())).Whatever("return").Build();
            static HostProgram Typo() => HostProgram.Named("typo")
                .State("a", Seamcall(HostLeaf.TDH_MEM_TRACK))
                    .On(Busy, "return RET_PF_RETYR")
                    .Otherwise("return status")
                .Build();
            """,
            ["5: typo: state a leads to return RET_PF_RETYR, for which nobody tests; KVM's codes are RET_PF_FIXED, RET_PF_SPURIOUS, RET_PF_RETRY, RET_PF_RETRY_FROZEN, -EFAULT, -EIO, -EBUSY, EXIT_HANDLED, EPT_VIOLATION, EPT_VIOLATION, pending, EPT_VIOLATION, accept, KVM_EXIT_INTERNAL_ERROR."]
        },
    };

    [Theory]
    [MemberData(nameof(Programs))]
    public void A_program_is_refused_for_every_reason_with_its_line(string states, string[] reasons)
    {
        using UserFile file = UserFile.WithRemoval(states);

        Assert.Equal(reasons, Reasons(file));
    }

    [Theory]
    [MemberData(nameof(Declarations))]
    public void A_declaration_is_refused_for_every_reason_with_its_place(string members, string[] reasons)
    {
        using UserFile file = UserFile.WithMembers(members);

        Assert.Equal(reasons, Reasons(file));
    }

    [Theory]
    [InlineData("kick-first", "1: the name kick-first is that of a built-in proposal; choose another")]
    [InlineData("mine, again", "1: the name 'mine, again' is no name: a name is made of letters, digits, '-', '.' and '_', begins with a letter or digit, and has at most 40 of them")]
    public void A_proposal_has_a_name_of_its_own(string name, string reason)
    {
        using UserFile mine = UserFile.WithRemoval(Kicks);
        File.WriteAllText(mine.Path, File.ReadAllText(mine.Path).Replace("\"mine\"", $"\"{name}\"", StringComparison.Ordinal));

        Assert.Equal([reason], Reasons(mine));
    }

    [Theory]
    [InlineData("")]
    [InlineData("public static class Mine { public static string Name => \"mine\"; }")]
    public void A_file_that_declares_no_proposal_is_refused(string text)
    {
        using UserFile file = UserFile.Of(text);

        Assert.StartsWith("declares no proposal: it needs a member such as", Reasons(file).Single().Trim(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Host = KvmHost.Of(new()).With((HostPath)99, K)", "1: it replaces path 99 of KVM, which there is not; they are RunVcpu,")]
    [InlineData("Host = KvmHost.Of(new()).With(HostPath.MmuNotifier, null)", "1: its host has no program for MmuNotifier")]
    [InlineData("Host = null", "1: the proposal has no host; give it one with Host = KvmHost.Of(new KvmParts { ... })")]
    [InlineData("Host = KvmHost.Of(new() { MapCall = (_, _) => Goto })", "1: a part is of no use to its caller in KVM: kvm_tdp_mmu_map(TDH.MEM.PAGE.AUG): state M4 add (goto) cannot be tested for 'TDX_SUCCESS'.")]
    [InlineData("Host = KvmHost.Of(new()), PreparesTd = td => td with { Vcpus = 0 }", " it cannot be run on fault: ")]
    [InlineData("Host = KvmHost.Of(new()), PreparesTd = _ => throw new NotSupportedException(\"so\")", "1: the declaration fails with NotSupportedException: so")]
    [InlineData("Host = KvmHost.Of(new()).With(HostPath.MmuNotifier, F)", " it cannot be run on fault-and-invalidation: notifier: state a (TDH.VP.FLUSH) needs a vCPU; give the agent one with Vcpu = ...")]
    public void A_host_has_a_program_of_use_for_each_of_its_paths(string host, string reason)
    {
        using UserFile file = UserFile.Of($$"""
            static class Mine { static Proposal Proposal => new("mine") { Author = "a", Date = "d", Claim = "c", {{host}} };
            static HostProgram K => HostProgram.Named("k").State("a", Kick()).Next("done").Build();
            static HostProgram F => HostProgram.Named("f").State("a", Seamcall(HostLeaf.TDH_VP_FLUSH)).Whatever("done").Build(); }
            """);

        Assert.StartsWith(reason, Reasons(file).First(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_declaration_that_does_not_come_to_an_end_is_given_up()
    {
        using UserFile file = UserFile.WithMembers("static HostProgram Remove() { System.Threading.Thread.Sleep(-1); return null; }");

        RefusedException refused = Assert.Throws<RefusedException>(() => UserProposal.Load(file.Path, TimeSpan.FromMilliseconds(200)));
        Assert.Equal("the declaration of the proposal has not come to an end after 0.2 s; it only builds programs, so it should take no time: look for a loop", refused.Refusals.Single().Text);
    }

    [Fact]
    public void A_reason_comes_with_the_line_as_it_is_written()
    {
        using UserFile file = UserFile.WithRemoval("  .State(\"a\", Kick()).Next(\"b\")");

        Assert.Equal("  .State(\"a\", Kick()).Next(\"b\")", Assert.Throws<RefusedException>(() => UserProposal.Load(file.Path)).Refusals.Single().Source);
    }

    private static IEnumerable<string> Reasons(UserFile file) => Assert.Throws<RefusedException>(() => UserProposal.Load(file.Path)).Refusals
        .Select(refusal => refusal.Message.Replace($"{file.Path}:", "", StringComparison.Ordinal));
}
