using System.CommandLine;
using System.CommandLine.Help;
using System.Diagnostics;
using TdxVerify.Abi;

namespace TdxVerify.Cli;

/// <summary>Runs one command line, and turns every failure into one line on stderr and an exit status.</summary>
internal static class CommandLine
{
    /// <summary>The name under which users run this.</summary>
    public const string Name = "tdxverify";

    public static int Run(IReadOnlyList<string> arguments, Terminal terminal)
    {
        try
        {
            ParseResult parsed = CreateRoot(terminal).Parse(arguments, new ParserConfiguration
            {
                EnablePosixBundling = false,
                ResponseFileTokenReplacer = null,
            });
            return UsageErrors.Find(parsed) is { } error
                ? CannotRun(terminal, error)
                : parsed.Invoke(new InvocationConfiguration { Output = terminal.Out, Error = terminal.Error, EnableDefaultExceptionHandler = false });
        }
        catch (Exception caught) when (ShowsTrace)
        {
            terminal.Error.WriteLine(caught);
            return ExitStatus.CouldNotRun;
        }
        catch (Exception caught) when (caught is InputException or IOException or UnauthorizedAccessException)
        {
            return CannotRun(terminal, caught.Message);
        }
        catch (OperationCanceledException)
        {
            return CannotRun(terminal, "interrupted");
        }
        catch (Exception caught)
        {
            return CannotRun(terminal, DescribeBug(caught));
        }
        finally
        {
            terminal.Out.Flush();
        }
    }

    private static bool ShowsTrace => Environment.GetEnvironmentVariable("TDXVERIFY_DEBUG") is "1";

    private static RootCommand CreateRoot(Terminal terminal)
    {
        var root = new RootCommand("Checks an Intel TDX module, and the host code that drives it, against a model of the Secure EPT, TD epochs and zero-step counters.");
        foreach (Command command in CommandTable.Create(terminal))
            root.Add(command);

        foreach (Option option in root.Options)
        {
            switch (option)
            {
                case HelpOption:
                    option.Aliases.Clear();
                    option.Aliases.Add("-h");
                    option.Description = "this help, or that of a command";
                    option.Action = new HelpAction(terminal);
                    break;
                case VersionOption:
                    option.Description = "the version, and the TDX modules it models";
                    option.Action = new VersionAction(terminal);
                    break;
            }
        }

        return root;
    }

    private static int CannotRun(Terminal terminal, string message)
    {
        terminal.Error.WriteLine($"{Name}: {string.Join(' ', message.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))}");
        return ExitStatus.CouldNotRun;
    }

    private static string DescribeBug(Exception caught)
    {
        while (caught is AggregateException or System.Reflection.TargetInvocationException or TypeInitializationException && caught.InnerException is { } inner)
            caught = inner;

        StackFrame? frame = new StackTrace(caught, fNeedFileInfo: true).GetFrames().FirstOrDefault(IsOurs);
        string where = frame?.GetMethod() is { } method ? $" in {method.DeclaringType?.FullName}.{method.Name}" : "";
        string line = frame?.GetFileName() is { } file ? $" ({Path.GetFileName(file)}:{frame.GetFileLineNumber()})" : "";
        return $"this is a bug in {Name}: {caught.GetType().Name}{where}{line}: {caught.Message} (TDXVERIFY_DEBUG=1 shows the whole trace)";
    }

    private static bool IsOurs(StackFrame frame) =>
        frame.GetMethod()?.DeclaringType?.FullName?.StartsWith("TdxVerify.", StringComparison.Ordinal) ?? false;
}
