using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Emit;
using Microsoft.CodeAnalysis.Text;
using TdxVerify.Host.Proposals;

namespace TdxVerify.Properties.UserProposals;

/// <summary>A file that was compiled, with the one proposal that it declares.</summary>
/// <param name="File">The file, as the user named it.</param>
/// <param name="Member">The static property or field that holds the proposal.</param>
/// <param name="Line">Its line.</param>
/// <param name="Lines">The file's lines.</param>
internal sealed record CompiledProposal(string File, System.Reflection.MemberInfo Member, int Line, IReadOnlyList<string> Lines);

/// <summary>Compiles a file that declares a proposal.</summary>
internal static class ProposalCompiler
{
    private const string Imports = """
        global using System;
        global using System.Collections.Generic;
        global using System.Linq;
        global using TdxVerify.Abi;
        global using TdxVerify.Host;
        global using TdxVerify.Host.Kvm;
        global using TdxVerify.Host.Modules;
        global using TdxVerify.Host.Proposals;
        global using static TdxVerify.Host.Do;
        global using static TdxVerify.Host.When;
        """;

    private const string NoProposal = "declares no proposal: it needs a member such as 'public static Proposal Proposal { get; } = new(\"my-name\") { ... };' (tdxverify proposals new NAME writes a template)";

    // What the compiler asks where a name is unknown; here nothing can be missing.
    private const string MissingUsing = " (are you missing a using directive or an assembly reference?)";

    private static readonly CSharpParseOptions s_language = new(LanguageVersion.Latest);

    /// <summary>Compiles a file.</summary>
    /// <param name="file">Its name, as the user gave it.</param>
    /// <param name="text">What is in it.</param>
    /// <exception cref="RefusedException">It cannot be compiled, or does not declare one proposal.</exception>
    public static CompiledProposal Compile(string file, string text)
    {
        SourceText source = SourceText.From(text, System.Text.Encoding.UTF8);
        SyntaxTree tree = CSharpSyntaxTree.ParseText(source, s_language, file);
        string[] lines = [.. source.Lines.Select(line => line.ToString())];
        CSharpCompilation compilation = CSharpCompilation.Create(
            $"proposal {Path.GetFileNameWithoutExtension(file)}",
            [CSharpSyntaxTree.ParseText(Imports, s_language), tree],
            ReferenceAssemblies.All,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, optimizationLevel: OptimizationLevel.Debug));
        Refuse(file, lines, [.. compilation.GetDiagnostics().Where(found => found.Severity == DiagnosticSeverity.Error).Select(found => Error(file, found))]);

        SemanticModel model = compilation.GetSemanticModel(tree);
        Refuse(file, lines, [.. RecursiveMembers.Find(model, tree.GetRoot()).Select(found => At(
            file, found.Use.GetLocation(), $"{found.Member.Name} uses itself, which need not end, so no declaration may; a program goes back to an earlier state by naming it: .On(Busy, \"that state\")"))]);
        ISymbol[] declared = [.. Declared(model, tree)];
        if (declared.Length != 1)
        {
            Refuse(file, lines, declared.Length == 0
                ? [new Refusal(file, 0, 0, NoProposal)]
                : [.. declared.Select(member => At(file, member.Locations[0], $"declares a proposal, one of {declared.Length}; a file holds one: leave the others out"))]);
        }

        ISymbol one = declared[0];
        System.Reflection.Assembly assembly = Load(compilation);
        System.Reflection.MemberInfo found = assembly.GetType(MetadataName(one.ContainingType), throwOnError: true)!
            .GetMember(one.Name, System.Reflection.BindingFlags.Static | System.Reflection.BindingFlags.Public | System.Reflection.BindingFlags.NonPublic)[0];
        return new CompiledProposal(file, found, one.Locations[0].GetLineSpan().StartLinePosition.Line + 1, lines);
    }

    /// <summary>Refuses the proposal if there is a reason, in the order of the lines, each with its source.</summary>
    public static void Refuse(string file, IReadOnlyList<string> lines, IReadOnlyList<Refusal> refusals)
    {
        if (refusals.Count > 0)
            throw Refused(file, lines, refusals);
    }

    /// <summary>The refusal for some reasons, in the order of the lines, each with its source.</summary>
    public static RefusedException Refused(string file, IReadOnlyList<string> lines, IReadOnlyList<Refusal> refusals) =>
        new([.. refusals.Distinct().OrderBy(refusal => refusal.Line).ThenBy(refusal => refusal.Column)
            .Select(refusal => refusal.File == file && refusal.Line > 0 && refusal.Line <= lines.Count ? refusal with { Source = lines[refusal.Line - 1] } : refusal)]);

    private static Refusal Error(string file, Diagnostic error) =>
        At(file, error.Location, $"error {error.Id}: {error.GetMessage(System.Globalization.CultureInfo.InvariantCulture).Replace(MissingUsing, "", StringComparison.Ordinal)}{NameHint.Of(error)}");

    private static Refusal At(string file, Location location, string text)
    {
        LinePosition start = location.GetLineSpan().StartLinePosition;
        return location.IsInSource ? new Refusal(file, start.Line + 1, start.Character + 1, text) : new Refusal(file, 0, 0, text);
    }

    private static IEnumerable<ISymbol> Declared(SemanticModel model, SyntaxTree tree) =>
        tree.GetRoot().DescendantNodes()
            .Where(node => node is PropertyDeclarationSyntax or VariableDeclaratorSyntax { Parent.Parent: FieldDeclarationSyntax })
            .Select(node => model.GetDeclaredSymbol(node))
            .Where(symbol => symbol is { IsStatic: true, ContainingType.IsGenericType: false } && TypeOf(symbol) == typeof(Proposal).FullName)
            .OfType<ISymbol>();

    private static string? TypeOf(ISymbol member) => (member switch
    {
        IPropertySymbol property => property.Type,
        IFieldSymbol field => field.Type,
        _ => null,
    })?.WithNullableAnnotation(NullableAnnotation.None).ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat.WithGlobalNamespaceStyle(SymbolDisplayGlobalNamespaceStyle.Omitted));

    private static string MetadataName(INamedTypeSymbol type) => type.ContainingType is { } outer
        ? $"{MetadataName(outer)}+{type.MetadataName}"
        : type.ContainingNamespace.IsGlobalNamespace ? type.MetadataName : $"{type.ContainingNamespace.ToDisplayString()}.{type.MetadataName}";

    // With the lines of its methods, so that an exception can be told where it came from.
    private static System.Reflection.Assembly Load(CSharpCompilation compilation)
    {
        using var assembly = new MemoryStream();
        using var symbols = new MemoryStream();
        EmitResult emitted = compilation.Emit(assembly, symbols, options: new EmitOptions(debugInformationFormat: DebugInformationFormat.PortablePdb));
        if (!emitted.Success)
            throw new RefusedException([.. emitted.Diagnostics.Where(found => found.Severity == DiagnosticSeverity.Error).Select(found => new Refusal("", 0, 0, found.ToString()))]);
        assembly.Position = 0;
        symbols.Position = 0;
        return new AssemblyLoadContext(compilation.AssemblyName).LoadFromStream(assembly, symbols);
    }
}
