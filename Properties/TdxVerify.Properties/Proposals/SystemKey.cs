using System.Collections.Immutable;
using TdxVerify.Host;

namespace TdxVerify.Properties.Proposals;

/// <summary>Tells whether two configurations are the same system, whatever their programs are called: then one exploration serves both.</summary>
/// <remarks>
/// Why: proposals differ in a few parts of KVM, and most configurations see few of them. Where it is not certain that two
/// programs are the same, they count as different.
/// </remarks>
internal sealed class SystemKey(Configuration configuration) : IEquatable<SystemKey>
{
    private readonly Configuration _configuration = configuration;

    public bool Equals(SystemKey? other) => other is not null && AreEqual(_configuration, other._configuration);

    public override bool Equals(object? obj) => Equals(obj as SystemKey);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add(_configuration.Profile);
        hash.Add(_configuration.Td.Vcpus);
        foreach (HostAgent agent in _configuration.Agents)
        {
            hash.Add(agent.Name);
            hash.Add(agent.Program.WithCalled().Sum(program => program.States.Length));
        }

        return hash.ToHashCode();
    }

    private static bool AreEqual(Configuration one, Configuration other)
    {
        if (!ReferenceEquals(one.Leaves, other.Leaves) || one.Td != other.Td || !one.Guests.SequenceEqual(other.Guests) || one.Agents.Length != other.Agents.Length)
            return false;
        if (one.Variables.Count != other.Variables.Count || one.Variables.Any(variable => other.Variables.GetValueOrDefault(variable.Key) != variable.Value))
            return false;
        for (int agent = 0; agent < one.Agents.Length; agent++)
        {
            if (!AreEqual(one.Agents[agent], other.Agents[agent]))
                return false;
        }

        // What remains is compared with all of the above made the same.
        return one with { Name = "", Agents = [], Guests = [], Variables = s_none } == other with { Name = "", Agents = [], Guests = [], Variables = s_none };
    }

    private static readonly ImmutableDictionary<string, ulong> s_none = ImmutableDictionary<string, ulong>.Empty;

    private static bool AreEqual(HostAgent one, HostAgent other) =>
        one.Gpas.SequenceEqual(other.Gpas) && AreEqual(one.Program, other.Program) && one with { Program = other.Program, Gpas = other.Gpas } == other;

    private static bool AreEqual(HostProgram one, HostProgram other)
    {
        if (ReferenceEquals(one, other))
            return true;
        if (one.States.Length != other.States.Length)
            return false;
        for (int i = 0; i < one.States.Length; i++)
        {
            if (!AreEqual(one.States[i], other.States[i]))
                return false;
        }

        return true;
    }

    private static bool AreEqual(ProgramState one, ProgramState other) =>
        one.Name == other.Name && one.EntryProgress == other.EntryProgress && AreEqual(one.Action, other.Action)
        && one.Transitions.Length == other.Transitions.Length && one.Transitions.Zip(other.Transitions).All(pair => AreEqual(pair.First, pair.Second));

    private static bool AreEqual(HostAction one, HostAction other) => (one, other) switch
    {
        (CallAction first, CallAction second) => AreEqual(first.Program, second.Program),
        (SeamcallAction { Operands.Count: 0 } first, SeamcallAction { Operands.Count: 0 } second) => first with { Operands = second.Operands } == second,
        _ => one == other,
    };

    private static bool AreEqual(ProgramTransition one, ProgramTransition other) =>
        one with { When = other.When, Line = other.Line } == other && AreEqual(one.When, other.When);

    // Tests of the host's own words are what their text says.
    private static bool AreEqual(When one, When other) =>
        one.Holds == other.Holds || (one.Text == other.Text && one.Holds.Method == other.Holds.Method && one.Holds.Method.Module == typeof(When).Module);
}
