using TdxVerify.Cli;

namespace TdxVerify.Tests.Cli;

/// <summary>One run of the command inside this process.</summary>
internal sealed record CliRun(int Status, string Out, string Error)
{
    public static CliRun Of(params string[] arguments) => WithInput("", arguments);

    public static CliRun WithInput(string input, params string[] arguments)
    {
        using var reader = new StringReader(input);
        return With(reader, arguments);
    }

    public static CliRun With(TextReader input, params string[] arguments)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        int status = CommandLine.Run(arguments, new Terminal(input, output, error));
        return new CliRun(status, output.ToString(), error.ToString());
    }
}
