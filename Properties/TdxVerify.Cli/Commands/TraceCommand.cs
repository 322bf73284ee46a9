using System.CommandLine;
using TdxVerify.Hardware.Trace;

namespace TdxVerify.Cli.Commands;

/// <summary><c>trace</c>: recorded executions.</summary>
internal static class TraceCommand
{
    /// <summary>As a file: standard input.</summary>
    private const string StandardInput = "-";

    public static Command Create(Terminal terminal)
    {
        var command = new CliCommand("trace", "judges recorded executions of a TDX module, and shows them")
        {
            Details = "A trace is a file of JSON Lines, plain or gzip; Hardware/README.md describes the format.",
        };
        command.Add(TraceCheckCommand.Create(terminal));
        command.Add(TraceShowCommand.Create(terminal));
        return command;
    }

    /// <summary>The trace that an argument names.</summary>
    public static TraceInput Input(Terminal terminal, string file) =>
        file == StandardInput ? TraceInput.Of("standard input", terminal.OpenInput()) : TraceInput.Of(file);
}
