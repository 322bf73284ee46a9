using System.Collections.Immutable;

namespace TdxVerify.Host.Kvm;

/// <summary>A host as a whole: the program of each of its paths.</summary>
public sealed class HostPrograms
{
    private readonly ImmutableDictionary<HostPath, HostProgram> _programs;

    internal HostPrograms(ImmutableDictionary<HostPath, HostProgram> programs) => _programs = programs;

    /// <summary>The program of a path.</summary>
    public HostProgram this[HostPath path] => _programs[path];

    /// <summary>All paths with their programs, in the order of <see cref="HostPath"/>.</summary>
    public IEnumerable<(HostPath Path, HostProgram Program)> All => _programs.OrderBy(each => each.Key).Select(each => (each.Key, each.Value));

    /// <summary>The same host with another program for a path.</summary>
    public HostPrograms With(HostPath path, HostProgram program) => new(_programs.SetItem(path, program));
}
