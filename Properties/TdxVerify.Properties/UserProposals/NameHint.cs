using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using TdxVerify.Abi;
using TdxVerify.Host;
using TdxVerify.Host.Kvm;
using TdxVerify.Host.Proposals;
using TdxVerify.Properties.Explain;

namespace TdxVerify.Properties.UserProposals;

/// <summary>What was probably meant where a declaration uses a name that there is not.</summary>
internal static class NameHint
{
    private const string UnknownName = "CS0103";
    private const string UnknownMember = "CS0117";
    private const string UnknownMethod = "CS1061";

    private static readonly Type[] s_vocabulary =
        [typeof(Do), typeof(When), typeof(KvmParts), typeof(KvmCodes), typeof(KvmVariables), typeof(KernelLocks), typeof(HostLeaf), typeof(OperandId), typeof(HostPath), typeof(HostProgram), typeof(ProgramBuilder), typeof(Proposal)];

    /// <summary>The hint, to be appended; empty: none.</summary>
    public static string Of(Diagnostic error)
    {
        if (error.Id is not (UnknownName or UnknownMember or UnknownMethod) || error.Location.SourceTree?.GetRoot().FindNode(error.Location.SourceSpan) is not { } node)
            return "";
        string name = node.DescendantNodesAndSelf().OfType<SimpleNameSyntax>().LastOrDefault()?.Identifier.ValueText ?? "";
        Type[] types = error.Id != UnknownName && OwnerOf(error) is { } owner ? [owner] : s_vocabulary;
        if (ClosestName.Find(name, types.SelectMany(Names).Distinct()) is { } near)
            return $" (did you mean {near}?)";
        return types is [var one] && one == typeof(KvmParts) ? $" (the parts are {string.Join(", ", Names(one))})" : "";
    }

    private static Type? OwnerOf(Diagnostic error)
    {
        string message = error.GetMessage(System.Globalization.CultureInfo.InvariantCulture);
        return s_vocabulary.FirstOrDefault(type => message.StartsWith($"'{type.Name}'", StringComparison.Ordinal));
    }

    private static IEnumerable<string> Names(Type type) => type.IsEnum
        ? Enum.GetNames(type)
        : type.GetMembers().Where(member => member.DeclaringType == type && member is System.Reflection.PropertyInfo or System.Reflection.FieldInfo
            or System.Reflection.MethodInfo { IsSpecialName: false } && CanBeMeant(member.Name)).Select(member => member.Name).Distinct();

    // Not what every type has, nor what the compiler adds to a record.
    private static bool CanBeMeant(string name) => typeof(object).GetMember(name).Length == 0 && !name.StartsWith('<');
}
