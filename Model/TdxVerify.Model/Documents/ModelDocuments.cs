namespace TdxVerify.Model;

/// <summary>A document that is generated from the declarations of the model.</summary>
/// <param name="Name">The name by which users ask for it.</param>
/// <param name="Description">What it shows.</param>
/// <param name="Markdown">The document.</param>
/// <param name="Machine">The state machine that it is about; null: none.</param>
public sealed record ModelDocument(string Name, string Description, Func<string> Markdown, MachineDocument? Machine = null)
{
    /// <summary>The name of its file.</summary>
    public string FileName => $"{Name}.md";
}

/// <summary>All documents that are generated from the declarations of the model.</summary>
public static class ModelDocuments
{
    /// <summary>Where the repository keeps them.</summary>
    public const string Folder = "Model/diagrams";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<ModelDocument> All { get; } =
    [
        new("sept", "states of an S-EPT entry", () => MachineDocument.Sept.Markdown, MachineDocument.Sept),
        new("td", "life of a TD: lifecycle, OP_STATE, key id", () => MachineDocument.Td.Markdown, MachineDocument.Td),
        new("vcpu", "states of a vCPU", () => MachineDocument.Vcpu.Markdown, MachineDocument.Vcpu),
        new("locks", "which leaf takes which lock how, in which order, with which busy status", LockTable.Write),
        new("checks", "the steps of every leaf, with the status of each", CheckTable.Write),
    ];
}
