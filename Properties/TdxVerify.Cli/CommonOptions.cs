using System.CommandLine;

namespace TdxVerify.Cli;

/// <summary>Options that several commands have, so that they are named and described alike.</summary>
internal static class CommonOptions
{
    public static Option<bool> Json() => new("--json") { Description = "print one JSON document on stdout and nothing else there" };
}
