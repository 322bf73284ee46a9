using System.CommandLine;
using System.CommandLine.Parsing;
using TdxVerify.Properties.Explain;

namespace TdxVerify.Cli;

/// <summary>Says in one line what is wrong with a command line, and what was probably meant.</summary>
internal static class UsageErrors
{
    /// <summary>The line, or null where nothing is wrong.</summary>
    public static string? Find(ParseResult parsed)
    {
        // --help and --version answer whatever else is on the line.
        if (parsed.Action is HelpAction or VersionAction)
            return null;

        Command command = parsed.CommandResult.Command;
        if (FindUnknownOption(parsed, command) is { } option)
            return $"unknown option '{option}'{Suggestion(option, OptionNames(command))}; {Help(command)} lists the options";

        if (command.Subcommands.Count > 0 && (command.Action is null || parsed.UnmatchedTokens.Count > 0))
        {
            string names = string.Join(", ", command.Subcommands.Select(sub => sub.Name));
            return parsed.UnmatchedTokens.Count > 0
                ? $"unknown command '{parsed.UnmatchedTokens[0]}'{Suggestion(parsed.UnmatchedTokens[0], command.Subcommands.Select(sub => sub.Name))}; the commands are: {names}"
                : $"no command given; the commands are: {names} ({Help(command)} describes them)";
        }

        if (command.Arguments.FirstOrDefault(argument => IsMissing(parsed, argument)) is { } missing)
            return $"{command.Name} needs {missing.HelpName ?? missing.Name}{Example(command)}";
        if (parsed.UnmatchedTokens.Count > 0)
            return $"{command.Name} takes no argument '{parsed.UnmatchedTokens[0]}'; see {Help(command)}";
        if (command.Options.FirstOrDefault(option => parsed.GetResult(option)?.Errors.Any() ?? false) is { } number && parsed.GetResult(number)!.Tokens is [var value, ..]
            && number.ValueType == typeof(int))
        {
            return $"{number.Name}: '{value.Value}' is no whole number of at most {int.MaxValue}; see {Help(command)}";
        }

        return parsed.Errors.Count > 0 ? $"{parsed.Errors[0].Message.TrimEnd('.')}; see {Help(command)}" : null;
    }

    // A command that takes any number of arguments would take a mistyped option for one of them.
    private static string? FindUnknownOption(ParseResult parsed, Command command)
    {
        foreach (Token token in parsed.Tokens)
        {
            if (token.Type == TokenType.DoubleDash)
                break;
            if (token.Type == TokenType.Argument && LooksLikeOption(token.Value) && !IsOptionValue(parsed, command, token))
                return token.Value.Split('=')[0];
        }

        return null;
    }

    private static bool LooksLikeOption(string text) => text.Length > 1 && text[0] == '-' && !char.IsAsciiDigit(text[1]);

    private static bool IsOptionValue(ParseResult parsed, Command command, Token token) =>
        command.Options.Any(option => parsed.GetResult(option) is { } result && result.Tokens.Any(value => ReferenceEquals(value, token)));

    private static IEnumerable<string> OptionNames(Command command) =>
        command.Options.Select(option => option.Name).Concat(["--help", "--version"]);

    private static bool IsMissing(ParseResult parsed, Argument argument) =>
        argument.Arity.MinimumNumberOfValues > 0 && (parsed.GetResult(argument)?.Tokens.Count ?? 0) < argument.Arity.MinimumNumberOfValues;

    private static string Example(Command command) =>
        command is CliCommand { Examples: [var (arguments, _), ..] } ? $", for example: {PathOf(command)} {arguments}" : $"; see {Help(command)}";

    private static string Suggestion(string given, IEnumerable<string> known) =>
        ClosestName.Find(given, known) is { } name ? $", did you mean '{name}'?" : "";

    private static string Help(Command command) => $"{PathOf(command)} --help";

    private static string PathOf(Command command) =>
        command.Parents.OfType<Command>().FirstOrDefault() is { } parent ? $"{PathOf(parent)} {command.Name}" : CommandLine.Name;
}
