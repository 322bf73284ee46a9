using System.Text;
using Spectre.Console;

namespace TdxVerify.Cli;

/// <summary>Where a command reads and writes, and what the other end can show.</summary>
internal sealed class Terminal(TextReader input, TextWriter output, TextWriter error)
{
    private const int WidthWithoutTerminal = 100;

    private IAnsiConsole? _spectre;

    /// <summary>Standard input.</summary>
    public TextReader In => input;

    /// <summary>Standard input as bytes, for input that may be compressed; instead of <see cref="In"/>.</summary>
    public Stream OpenInput() => input is StreamReader { BaseStream: var stream } ? stream : new MemoryStream(Encoding.UTF8.GetBytes(input.ReadToEnd()));

    /// <summary>Standard output. Buffered where it is a file or a pipe.</summary>
    public TextWriter Out => output;

    /// <summary>Standard error.</summary>
    public TextWriter Error => error;

    /// <summary>Standard output is a terminal on which lines can be redrawn.</summary>
    public bool IsInteractive { get; init; }

    /// <summary>Standard output shows colours; never where NO_COLOR is set.</summary>
    public bool HasColours { get; init; }

    /// <summary>Columns, or 100 where standard output is no terminal.</summary>
    public int Width => IsInteractive ? Math.Max(Console.WindowWidth, 40) : WidthWithoutTerminal;

    /// <summary>Progress displays and tables, on <see cref="Out"/>.</summary>
    public IAnsiConsole Spectre => _spectre ??= CreateSpectre();

    /// <summary>The terminal of this process.</summary>
    public static Terminal OfProcess()
    {
        bool interactive = !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb");
        return new Terminal(
            new StreamReader(Console.OpenStandardInput()),
            Writer(Console.OpenStandardOutput(), flushEachLine: !Console.IsOutputRedirected),
            Writer(Console.OpenStandardError(), flushEachLine: true))
        {
            IsInteractive = interactive,
            HasColours = interactive && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")),
        };
    }

    /// <summary>A name, a heading.</summary>
    public string Bold(string text) => Styled("1", text);

    /// <summary>Less important than what surrounds it.</summary>
    public string Faint(string text) => Styled("2", text);

    /// <summary>It held, it was accepted.</summary>
    public string Good(string text) => Styled("32", text);

    /// <summary>It was broken, it was rejected.</summary>
    public string Bad(string text) => Styled("31", text);

    /// <summary>Writes a line in the place of the one that was shown so; what does not fit is left out.</summary>
    /// <param name="line">The line.</param>
    /// <param name="style">Its style; null: none.</param>
    public void ShowLine(string line, Func<string, string>? style = null)
    {
        string fitted = line[..Math.Min(line.Length, Width - 1)];
        Out.Write($"\r\e[2K{style?.Invoke(fitted) ?? fitted}");
        Out.Flush();
    }

    /// <summary>Takes the line away that was shown.</summary>
    public void ClearLine() => Out.Write("\r\e[2K");

    private static StreamWriter Writer(Stream stream, bool flushEachLine) =>
        new(stream, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), bufferSize: 16 * 1024) { AutoFlush = flushEachLine };

    private string Styled(string code, string text) => HasColours ? $"\e[{code}m{text}\e[0m" : text;

    private IAnsiConsole CreateSpectre()
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = IsInteractive ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = HasColours ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = IsInteractive ? InteractionSupport.Yes : InteractionSupport.No,
            Out = new AnsiConsoleOutput(Out),
        });
        console.Profile.Width = Width;
        return console;
    }
}
