using System.Diagnostics;
using System.Reflection;
using TdxVerify.Host;
using TdxVerify.Host.Proposals;

namespace TdxVerify.Properties.UserProposals;

/// <summary>Carries a compiled declaration out: what it builds, and what is wrong with the programs that it builds.</summary>
internal static class ProposalDeclaration
{
    /// <summary>The proposal.</summary>
    /// <param name="compiled">The declaration.</param>
    /// <param name="timeout">How long it may take.</param>
    /// <param name="faults">What is wrong with its programs.</param>
    /// <exception cref="RefusedException">It throws, does not come to an end, or is no proposal.</exception>
    public static Proposal Run(CompiledProposal compiled, TimeSpan timeout, out IReadOnlyList<ProgramFault> faults)
    {
        Proposal? declared = null;
        Exception? thrown = null;
        IReadOnlyList<ProgramFault> found = [];
        var thread = new System.Threading.Thread(() =>
        {
            try
            {
                declared = ProgramFaults.Collect(() => Read(compiled.Member), out found);
                foreach (StandardConfiguration standard in StandardConfigurations.All)
                    _ = declared?.PreparesTd?.Invoke(standard.Td);
            }
            catch (Exception caught)
            {
                thrown = caught;
            }
        })
        {
            // One that does not come to an end does not keep the process from ending.
            IsBackground = true,
        };
        thread.Start();
        if (!thread.Join(timeout))
            throw Refused(compiled, compiled.Line, $"the declaration of the proposal has not come to an end after {timeout.TotalSeconds:0.#} s; it only builds programs, so it should take no time: look for a loop");
        faults = found;
        if (thrown is not null)
            throw Thrown(compiled, thrown);
        if (declared is null)
            throw Refused(compiled, compiled.Line, "the proposal is null when its file has been carried out; members are initialised from the top of the file to its end");
        if (declared.Host is null)
            throw Refused(compiled, compiled.Line, "the proposal has no host; give it one with Host = KvmHost.Of(new KvmParts { ... })");
        return declared;
    }

    /// <summary>The line of a file that an exception came through; null: none.</summary>
    public static int? LineIn(string file, Exception thrown) =>
        new StackTrace(thrown, fNeedFileInfo: true).GetFrames().FirstOrDefault(frame => frame.GetFileName() == file)?.GetFileLineNumber();

    private static Proposal? Read(MemberInfo member) => (Proposal?)(member switch
    {
        PropertyInfo property => property.GetValue(null),
        FieldInfo field => field.GetValue(null),
        _ => null,
    });

    private static RefusedException Thrown(CompiledProposal compiled, Exception thrown)
    {
        while (thrown is TargetInvocationException or TypeInitializationException or AggregateException && thrown.InnerException is { } inner)
            thrown = inner;
        int line = LineIn(compiled.File, thrown) ?? compiled.Line;
        string message = thrown.Message.ReplaceLineEndings(" ").Trim();
        return Refused(compiled, line, thrown is ProgramException ? message : $"the declaration fails with {thrown.GetType().Name}: {message}");
    }

    private static RefusedException Refused(CompiledProposal compiled, int line, string text) =>
        ProposalCompiler.Refused(compiled.File, compiled.Lines, [new Refusal(compiled.File, line, 0, text)]);
}
