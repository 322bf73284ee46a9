using System.Text.RegularExpressions;

namespace TdxVerify.Properties.UserProposals;

/// <summary>What a proposal may be called.</summary>
public static partial class ProposalName
{
    /// <summary>What is wrong with a name that is not valid, after the name.</summary>
    public const string Rule = "is no name: a name is made of letters, digits, '-', '.' and '_', begins with a letter or digit, and has at most 40 of them";

    /// <summary>A proposal may be called so.</summary>
    public static bool IsValid(string name) => Pattern().IsMatch(name);

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,39}\z")]
    private static partial Regex Pattern();
}
