using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace TdxVerify.Properties.UserProposals;

/// <summary>
/// Finds members of a declaration that use themselves. Carried out, they can go on until the stack is full, which ends the
/// process; and no host program needs them: a program goes back to an earlier state by naming it.
/// </summary>
internal static class RecursiveMembers
{
    /// <summary>Each circle once, at the use that closes it.</summary>
    public static IEnumerable<(SyntaxNode Use, ISymbol Member)> Find(SemanticModel model, SyntaxNode root)
    {
        Dictionary<ISymbol, List<(SyntaxNode Node, ISymbol Used)>> uses = new(SymbolEqualityComparer.Default);
        foreach (SimpleNameSyntax name in root.DescendantNodes().OfType<SimpleNameSyntax>())
        {
            if (model.GetSymbolInfo(name).Symbol?.OriginalDefinition is not { DeclaringSyntaxReferences.IsEmpty: false } used
                || used is not (IMethodSymbol or IPropertySymbol or IFieldSymbol) || User(model, name) is not { } user)
            {
                continue;
            }

            if (!uses.TryGetValue(user, out List<(SyntaxNode, ISymbol)>? all))
                uses.Add(user, all = []);
            all.Add((name, used));
        }

        HashSet<ISymbol> told = new(SymbolEqualityComparer.Default);
        foreach ((ISymbol member, List<(SyntaxNode Node, ISymbol Used)> first) in uses)
        {
            HashSet<ISymbol> seen = new(SymbolEqualityComparer.Default);
            var left = new Stack<(SyntaxNode Node, ISymbol Used)>(first);
            while (left.TryPop(out (SyntaxNode Node, ISymbol Used) use))
            {
                if (SymbolEqualityComparer.Default.Equals(use.Used, member))
                {
                    if (told.Add(member) && !seen.Any(told.Contains))
                        yield return (use.Node, member);
                    break;
                }

                if (seen.Add(use.Used) && uses.TryGetValue(use.Used, out List<(SyntaxNode, ISymbol)>? more))
                    more.ForEach(left.Push);
            }
        }
    }

    // The member that carries the use out; a lambda counts for the member that it stands in. An initialiser is carried out once,
    // whatever uses its member, but a lambda in it each time.
    private static ISymbol? User(SemanticModel model, SyntaxNode node)
    {
        bool isLater = node.Ancestors().Any(each => each is LambdaExpressionSyntax);
        SyntaxNode? member = node.Ancestors().FirstOrDefault(each => each is MethodDeclarationSyntax or LocalFunctionStatementSyntax
            or AccessorDeclarationSyntax or ArrowExpressionClauseSyntax { Parent: PropertyDeclarationSyntax }
            || (isLater && each is EqualsValueClauseSyntax { Parent: PropertyDeclarationSyntax or VariableDeclaratorSyntax { Parent.Parent: FieldDeclarationSyntax } }));
        return member switch
        {
            AccessorDeclarationSyntax accessor => model.GetDeclaredSymbol(accessor.Parent!.Parent!),
            ArrowExpressionClauseSyntax or EqualsValueClauseSyntax => model.GetDeclaredSymbol(member.Parent!),
            null => null,
            _ => model.GetDeclaredSymbol(member),
        };
    }
}
