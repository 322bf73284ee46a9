namespace TdxVerify.Cli.Commands;

/// <summary>How a result is written.</summary>
internal enum OutputFormat
{
    /// <summary>For a reader at a terminal.</summary>
    Table,

    /// <summary>For a mail or a document.</summary>
    Markdown,

    /// <summary>One line for each row.</summary>
    Csv,

    /// <summary>One document.</summary>
    Json,

    /// <summary>A sequence diagram that documents draw.</summary>
    Mermaid,

    /// <summary>A picture.</summary>
    Svg,
}
