using TdxVerify.Host;
using TdxVerify.Host.Kvm;
using TdxVerify.Host.Proposals;

namespace TdxVerify.Properties.UserProposals;

/// <summary>A proposal that a user declares in one C# file.</summary>
public static class UserProposal
{
    // Building a few programs takes milliseconds; a machine that is busy with other work takes longer.
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(10);

    /// <summary>Reads, compiles and checks a proposal.</summary>
    /// <param name="file">The file.</param>
    /// <param name="timeout">How long its declaration may take; null: 10 s.</param>
    /// <exception cref="RefusedException">It is refused; for all reasons that are known at once.</exception>
    public static Proposal Load(string file, TimeSpan? timeout = null)
    {
        CompiledProposal compiled = ProposalCompiler.Compile(file, Read(file));
        Proposal proposal = ProposalDeclaration.Run(compiled, timeout ?? s_timeout, out IReadOnlyList<ProgramFault> faults);
        List<Refusal> refusals = [.. Named(proposal, compiled), .. Paths(proposal, compiled), .. faults.Select(fault => Of(fault, compiled))];

        // Programs that are not well formed cannot be walked through.
        if (faults.Count == 0 && proposal.Host.All.All(each => each.Program is not null))
            refusals.AddRange(new HostCheck(proposal.Host, file).Faults().Select(fault => Of(fault, compiled)));
        if (refusals.Count == 0)
            refusals.AddRange(NotRun(proposal, file));
        ProposalCompiler.Refuse(file, compiled.Lines, refusals);
        return proposal;
    }

    /// <summary>What of an exception that was met while a proposal was explored comes of its file; null: nothing.</summary>
    public static string? FaultIn(string file, Exception caught)
    {
        ArgumentNullException.ThrowIfNull(caught);
        while (caught is AggregateException && caught.InnerException is { } inner)
            caught = inner;
        if (caught is ProgramException)
            return caught.Message;
        return ProposalDeclaration.LineIn(file, caught) is { } line ? $"line {line}: {caught.GetType().Name}: {caught.Message}" : null;
    }

    private static string Read(string file)
    {
        if (Directory.Exists(file))
            throw new RefusedException($"{file} is a folder; name the C# file in it");
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception caught) when (caught is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new RefusedException($"there is no file {file}; tdxverify proposals new NAME writes a template");
        }
        catch (Exception caught) when (caught is IOException or UnauthorizedAccessException)
        {
            throw new RefusedException($"{file} cannot be read: {caught.Message}", caught);
        }
    }

    private static IEnumerable<Refusal> Named(Proposal proposal, CompiledProposal compiled)
    {
        if (!ProposalName.IsValid(proposal.Name))
            yield return new Refusal(compiled.File, LineOf(proposal.Name, compiled), 0, $"the name '{proposal.Name}' {ProposalName.Rule}");
        else if (ProposalTable.Find(proposal.Name) is not null)
            yield return new Refusal(compiled.File, LineOf(proposal.Name, compiled), 0, $"the name {proposal.Name} is that of a built-in proposal; choose another");
    }

    private static IEnumerable<Refusal> Paths(Proposal proposal, CompiledProposal compiled) =>
        from each in proposal.Host.All
        let known = Enum.IsDefined(each.Path)
        where !known || each.Program is null
        select new Refusal(compiled.File, compiled.Line, 0, known
            ? $"its host has no program for {each.Path}"
            : $"it replaces path {(int)each.Path} of KVM, which there is not; they are {string.Join(", ", Enum.GetNames<HostPath>())}");

    private static int LineOf(string name, CompiledProposal compiled)
    {
        for (int line = 0; line < compiled.Lines.Count; line++)
        {
            if (compiled.Lines[line].Contains($"\"{name}\"", StringComparison.Ordinal))
                return line + 1;
        }

        return compiled.Line;
    }

    // A fault of one of KVM's programs comes of what the proposal gave it to call.
    private static Refusal Of(ProgramFault fault, CompiledProposal compiled) => fault switch
    {
        _ when fault.File == compiled.File => new Refusal(compiled.File, fault.Line, 0, fault.Message),
        { Called: { } called } when called.File == compiled.File => new Refusal(compiled.File, called.Line, 0, $"{called.Name}: returns something else than its caller in KVM expects: {fault.Message}"),
        _ => new Refusal(compiled.File, compiled.Line, 0, $"a part is of no use to its caller in KVM: {fault.Message}"),
    };

    // What only shows when programs, guests and TD are put together.
    private static IEnumerable<Refusal> NotRun(Proposal proposal, string file)
    {
        HashSet<string> told = [];
        foreach (StandardConfiguration standard in StandardConfigurations.All)
        {
            string? reason = null;
            try
            {
                _ = new HostMachine(proposal.In(standard));
            }
            catch (Exception refused)
            {
                // Whatever is thrown there comes of what the file declares: all built-in proposals can be run.
                string message = refused is ProgramException ? refused.Message : $"{refused.GetType().Name}: {refused.Message}";
                reason = message.Replace($"{proposal.Name} on {standard.Name}: ", "", StringComparison.Ordinal);
            }

            if (reason is not null && told.Add(reason))
                yield return new Refusal(file, 0, 0, $"it cannot be run on {standard.Name}: {reason}");
        }
    }
}
