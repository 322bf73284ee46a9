using TdxVerify.Model;
using TdxVerify.Properties.Exploration.Manifest;
using TdxVerify.Properties.Proposals.Manifest;
using Xunit;

namespace TdxVerify.Tests.Documents;

/// <summary>The generated documents in the repository say what the declarations say now.</summary>
public sealed class GeneratedDocumentTests
{
    private static string Folder => Path.Combine(RepositoryRoot.Path, ModelDocuments.Folder);

    public static TheoryData<string> Names => [.. ModelDocuments.All.Select(document => document.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_document_is_current(string name)
    {
        ModelDocument document = ModelDocuments.All.Single(each => each.Name == name);
        string path = Path.Combine(Folder, document.FileName);

        Assert.True(
            File.Exists(path) && File.ReadAllText(path) == document.Markdown(),
            $"{ModelDocuments.Folder}/{document.FileName} is not what the declarations say; refresh it with: ./run-props.sh diagram all --output {ModelDocuments.Folder}");
    }

    [Fact]
    public void The_folder_holds_nothing_else() =>
        Assert.Equal(ModelDocuments.All.Select(document => document.FileName).Order(), Directory.GetFiles(Folder).Select(Path.GetFileName).Order());

    [Fact]
    public void The_diagram_in_the_README_is_current() =>
        Assert.Contains(
            $"<!-- diagram vcpu -->\n```mermaid\n{MachineDocument.Vcpu.Mermaid}```\n<!-- end of diagram -->",
            File.ReadAllText(Path.Combine(RepositoryRoot.Path, "Model", "README.md")),
            StringComparison.Ordinal);

    public static TheoryData<string, string> Tables => new()
    {
        { "scenarios", "explore --list --format markdown" },
        { "claims", "proposals list --format markdown" },
        { "verdicts", "proposals list --format markdown" },
        { "refutations", "proposals list --format markdown" },
        { "field", "proposals list --format markdown" },
    };

    [Theory]
    [MemberData(nameof(Tables))]
    public void A_table_in_the_README_of_Properties_is_what_is_declared_and_pinned(string name, string command)
    {
        IEnumerable<string> lines = name switch
        {
            "scenarios" => ScenarioManifest.Markdown(),
            "claims" => ProposalDocument.Claims(),
            "verdicts" => ProposalDocument.Verdicts(),
            "refutations" => ProposalDocument.Refutations(),
            _ => ProposalDocument.Field(),
        };
        string table = string.Concat(lines.Select(line => line + "\n"));

        Assert.True(
            File.ReadAllText(Path.Combine(RepositoryRoot.Path, "Properties", "README.md")).Contains($"<!-- {name} -->\n{table}<!-- end of {name} -->", StringComparison.Ordinal),
            $"the table of {name} in Properties/README.md is not current; replace it by the output of: ./run-props.sh {command}");
    }

    [Fact]
    public void Every_step_of_every_leaf_is_in_the_table_of_steps()
    {
        string checks = File.ReadAllText(Path.Combine(Folder, "checks.md"));
        LeafSet<ArraysState> leaves = LeafSet<ArraysState>.Of(Abi.ModuleProfile.V1_5_01);

        foreach (Leaf<ArraysState> leaf in leaves.All)
        {
            int start = checks.IndexOf($"\n## {leaf.Id.Name}", StringComparison.Ordinal);
            Assert.True(start >= 0, leaf.Id.Name);
            int end = checks.IndexOf("\n#", start + 1, StringComparison.Ordinal);
            string[] rows = [.. checks[start..end].Split('\n').Where(line => line.StartsWith("| ", StringComparison.Ordinal) && char.IsAsciiDigit(line[2]))];
            Assert.Equal(leaf.Steps.Length, rows.Length);
            Assert.All(leaf.Steps.Zip(rows), pair => Assert.Contains(pair.First.Text.Replace("|", "\\|", StringComparison.Ordinal), pair.Second, StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("TDH.MEM.RANGE.UNBLOCK", "tracked since BEPOCH", "`0xC0000B0800000001`")]
    [InlineData("TDH.VP.INIT", "TOPOLOGY_ENUM_CONFIGURED = false", "effect")]
    [InlineData("TDH.VP.INIT (version 1)", "x2APIC id differs", "`0xC000062100000000 + id`")]
    [InlineData("TDH.MNG.INIT", "virtual CPUID 0x1F: levels ascend", "`0xC000090400000000`")]
    [InlineData("TDH.MNG.INIT", "MAX_VCPUS from 1 to 576", "`0xC000010000000044`")]
    public void What_module_1_5_05_changes_is_told(string leaf, string rule, string answer)
    {
        string later = File.ReadAllText(Path.Combine(Folder, "checks.md")).Split("\n# Module 1.5.05\n")[1];
        string section = later.Split("\n## ").Single(part => part.StartsWith(leaf + " (SEAMCALL", StringComparison.Ordinal));

        Assert.Contains(section.Split('\n'), line => line.Contains(rule, StringComparison.Ordinal) && line.Contains(answer, StringComparison.Ordinal));
    }
}
