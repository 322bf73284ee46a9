using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Xml.Linq;
using Xunit;

namespace TdxVerify.Tests.Architecture;

/// <summary>Dependencies point one way, and the reference implementation and the model know nothing of each other.</summary>
public sealed class ProjectGraphTests
{
    // Every project with the projects that it references.
    private static readonly Dictionary<string, string[]> s_references = new()
    {
        ["TdxVerify.Abi"] = [],
        ["TdxVerify.Model"] = ["TdxVerify.Abi"],
        ["TdxVerify.Host"] = ["TdxVerify.Model"],
        ["TdxVerify.Reference"] = ["TdxVerify.Abi"],
        ["TdxVerify.Hardware"] = ["TdxVerify.Abi"],
        ["TdxVerify.Properties"] = ["TdxVerify.Abi", "TdxVerify.Hardware", "TdxVerify.Host", "TdxVerify.Model", "TdxVerify.Reference"],
        ["TdxVerify.Cli"] = ["TdxVerify.Properties"],
        ["TdxVerify.Benchmarks"] = ["TdxVerify.Properties"],
        ["TdxVerify.Tests"] = ["TdxVerify.Cli"],
    };

    [Fact]
    public void Projects_reference_exactly_what_the_architecture_says()
    {
        Dictionary<string, string[]> found = Projects().ToDictionary(
            file => Path.GetFileNameWithoutExtension(file),
            file => Items(file, "ProjectReference").Select(path => Path.GetFileNameWithoutExtension(path.Replace('\\', '/'))).Order().ToArray());

        Assert.Equal(s_references.Keys.Order(), found.Keys.Order());
        Assert.All(s_references, expected => Assert.Equal(expected.Value, found[expected.Key]));
    }

    [Theory]
    [InlineData("TdxVerify.Abi")]
    [InlineData("TdxVerify.Model")]
    [InlineData("TdxVerify.Reference")]
    public void What_is_compared_needs_no_package(string project) =>
        Assert.Empty(Items(Projects().Single(file => Path.GetFileNameWithoutExtension(file) == project), "PackageReference"));

    [Fact]
    public void Compiled_assemblies_reference_no_other_project_than_they_may()
    {
        int read = 0;
        foreach (string project in s_references.Keys)
        {
            string name = project == "TdxVerify.Cli" ? "tdxverify" : project;
            string file = Path.Combine(AppContext.BaseDirectory, name + ".dll");
            if (!File.Exists(file))
                continue;

            HashSet<string> allowed = Reachable(project);
            Assert.All(OurReferences(file), reference => Assert.Contains(reference, allowed));
            read++;
        }

        Assert.True(read >= 8, $"only {read} assemblies were found");
    }

    [Fact]
    public void Compiled_model_and_reference_know_nothing_of_each_other()
    {
        Assert.DoesNotContain("TdxVerify.Reference", OurReferences(Path.Combine(AppContext.BaseDirectory, "TdxVerify.Model.dll")));
        Assert.DoesNotContain("TdxVerify.Model", OurReferences(Path.Combine(AppContext.BaseDirectory, "TdxVerify.Reference.dll")));
    }

    private static HashSet<string> Reachable(string project)
    {
        HashSet<string> all = [];
        var left = new Stack<string>(s_references[project]);
        while (left.TryPop(out string? next))
        {
            if (all.Add(next == "TdxVerify.Cli" ? "tdxverify" : next))
                Array.ForEach(s_references[next], left.Push);
        }

        return all;
    }

    private static List<string> OurReferences(string file)
    {
        using var image = new PEReader(File.OpenRead(file));
        MetadataReader metadata = image.GetMetadataReader();
        return [.. metadata.AssemblyReferences
            .Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name))
            .Where(name => name.StartsWith("tdxverify", StringComparison.OrdinalIgnoreCase))];
    }

    private static IEnumerable<string> Projects() => RepositoryFiles.All().Where(file => file.EndsWith(".csproj", StringComparison.Ordinal))
        .Select(file => Path.Combine(RepositoryRoot.Path, file));

    private static IEnumerable<string> Items(string file, string item) =>
        XDocument.Load(file).Descendants(item).Select(element => element.Attribute("Include")!.Value);
}
