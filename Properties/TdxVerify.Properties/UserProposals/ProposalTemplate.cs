using System.Globalization;
using TdxVerify.Abi;
using TdxVerify.Host.Proposals;

namespace TdxVerify.Properties.UserProposals;

/// <summary>A proposal to begin with: complete, and explained for a reader who does not know C#.</summary>
public static class ProposalTemplate
{
    /// <summary>The template under a name.</summary>
    /// <param name="name">The proposal's name.</param>
    /// <param name="file">The file that it will be in.</param>
    /// <param name="today">The date that it bears.</param>
    /// <exception cref="InputException">No proposal can be called so.</exception>
    public static string Of(string name, string file, DateOnly today)
    {
        if (!ProposalName.IsValid(name))
            throw new InputException($"'{name}' {ProposalName.Rule}");
        if (ProposalTable.Find(name) is not null)
            throw new InputException($"{name} is the name of a built-in proposal; choose another (proposals list has them all)");
        using var reader = new StreamReader(typeof(ProposalTemplate).Assembly.GetManifestResourceStream("ProposalTemplate.txt")!);
        return reader.ReadToEnd()
            .Replace("$NAME$", name, StringComparison.Ordinal)
            .Replace("$FILE$", file, StringComparison.Ordinal)
            .Replace("$DATE$", today.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), StringComparison.Ordinal);
    }
}
