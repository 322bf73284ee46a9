using System.Reflection;
using System.Reflection.Metadata;
using Microsoft.CodeAnalysis;
using TdxVerify.Abi;
using TdxVerify.Host;
using TdxVerify.Model;

namespace TdxVerify.Properties.UserProposals;

/// <summary>What a user's proposal is compiled against: what this process has loaded itself.</summary>
/// <remarks>Taken from memory and not from files, since in a single-file executable there are none.</remarks>
internal static class ReferenceAssemblies
{
    // Where the types are that declarations use, and the facades by which the assemblies of this program name them.
    private static readonly string[] s_runtime =
        ["System.Runtime", "System.Collections", "System.Collections.Immutable", "System.Linq", "System.Memory", "System.Console", "System.Threading", "System.Threading.Thread"];

    /// <summary>All of them.</summary>
    public static IReadOnlyList<MetadataReference> All { get; } =
    [
        .. s_runtime.Select(name => Assembly.Load(new AssemblyName(name)))
            .Concat([typeof(object).Assembly, typeof(HostLeaf).Assembly, typeof(LeafSet<>).Assembly, typeof(HostProgram).Assembly])
            .Distinct()
            .Select(Reference),
    ];

    private static unsafe MetadataReference Reference(Assembly assembly) => assembly.TryGetRawMetadata(out byte* blob, out int length)
        ? AssemblyMetadata.Create(ModuleMetadata.CreateFromMetadata((nint)blob, length)).GetReference(display: assembly.GetName().Name)
        : throw new InvalidOperationException($"{assembly.GetName().Name} has no metadata in memory");
}
