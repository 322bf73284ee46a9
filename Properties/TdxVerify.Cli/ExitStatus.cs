namespace TdxVerify.Cli;

/// <summary>The exit statuses of every command.</summary>
internal static class ExitStatus
{
    /// <summary>Everything held.</summary>
    public const int Held = 0;

    /// <summary>A law was broken, a trace rejected, a proposal found wrong.</summary>
    public const int Broken = 1;

    /// <summary>It could not run: bad arguments, unreadable input, no device. One line on stderr says what to do.</summary>
    public const int CouldNotRun = 2;

    /// <summary>It was ended by Ctrl-C (128 + SIGINT, as shells have it) before anything was found broken.</summary>
    public const int Interrupted = 130;
}
