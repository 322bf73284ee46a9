using System.Collections.Immutable;

namespace TdxVerify.Host;

/// <summary>The declaration of a guest, instruction by instruction.</summary>
public sealed class GuestCodeBuilder
{
    private const ulong FirstRip = 0x1000;
    private const ulong InstructionLength = 0x10;

    private readonly string _name;
    private readonly List<GuestInstruction> _instructions = [];
    private readonly List<ProgramTransition> _transitions = [];

    internal GuestCodeBuilder(string name) => _name = name;

    /// <summary>The next instruction.</summary>
    /// <param name="name">The name of the place.</param>
    /// <param name="op">What it does.</param>
    /// <param name="sameInstructionAs">A place before it that is the same instruction: it touches more than one page.</param>
    public GuestCodeBuilder At(string name, GuestOp op, string? sameInstructionAs = null)
    {
        EndInstruction();
        ulong rip = FirstRip + ((ulong)_instructions.Count * InstructionLength);
        if (sameInstructionAs is not null)
        {
            rip = _instructions.Find(each => each.Name == sameInstructionAs)?.Rip
                ?? throw new ProgramException($"{_name}: {name} names {sameInstructionAs}, which is not declared before it.");
        }

        _instructions.Add(new GuestInstruction(name, op, rip, []));
        return this;
    }

    /// <summary>If the test holds, and none before it: the guest goes on there.</summary>
    public GuestCodeBuilder On(When test, string to)
    {
        _transitions.Add(new ProgramTransition(test, to));
        return this;
    }

    /// <summary>If no test holds, the guest goes on there.</summary>
    public GuestCodeBuilder Otherwise(string to) => On(When.Anything, to);

    /// <summary>The guest goes on there, whatever the result.</summary>
    public GuestCodeBuilder Next(string to) => Otherwise(to);

    /// <summary>The transition declared last is progress of the agent.</summary>
    public GuestCodeBuilder Progress(string text)
    {
        _transitions[^1] = _transitions[^1] with { Progress = text };
        return this;
    }

    /// <summary>The transition declared last is a case that must occur for a verdict to mean something.</summary>
    public GuestCodeBuilder Sometimes(string text)
    {
        _transitions[^1] = _transitions[^1] with { Sometimes = text };
        return this;
    }

    /// <summary>The guest.</summary>
    /// <exception cref="ProgramException">It is not well formed; the message says where and why.</exception>
    public GuestCode Build()
    {
        EndInstruction();
        var code = new GuestCode(_name, [.. _instructions]);
        if (_instructions.Count == 0)
            throw new ProgramException($"{_name}: has no instruction.");
        foreach (GuestInstruction instruction in _instructions)
        {
            string place = $"{_name}: {instruction.Name} ({instruction.Op})";
            if (instruction.Transitions.FirstOrDefault(transition => code.IndexOf(transition.To) < 0) is { } lost)
                throw new ProgramException($"{place} leads to {lost.To}, which is no place of it.");
            if (instruction.Transitions.FirstOrDefault(transition => !transition.When.Kinds.Contains(instruction.Op.Result)) is { } wrong)
                throw new ProgramException($"{place} cannot be tested for '{wrong.When.Text}'.");
            if (!instruction.Transitions.Any(transition => transition.When.IsAnything))
                throw new ProgramException($"{place} does not say what follows from every result: add Otherwise(...) or Next(...).");
        }

        return code;
    }

    private void EndInstruction()
    {
        if (_instructions.Count > 0)
            _instructions[^1] = _instructions[^1] with { Transitions = [.. _transitions] };
        _transitions.Clear();
    }
}
