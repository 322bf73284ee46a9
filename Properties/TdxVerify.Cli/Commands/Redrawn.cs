namespace TdxVerify.Cli.Commands;

/// <summary>Work of which a terminal shows how far it is.</summary>
internal static class Redrawn
{
    /// <summary>Does the work; meanwhile a thread redraws, where standard output is a terminal. It has stopped when this returns.</summary>
    /// <param name="terminal">The terminal.</param>
    /// <param name="milliseconds">How often it is redrawn.</param>
    /// <param name="redraw">Draws.</param>
    /// <param name="work">The work.</param>
    public static T While<T>(Terminal terminal, int milliseconds, Action redraw, Func<T> work)
    {
        if (!terminal.IsInteractive)
            return work();
        using var done = new ManualResetEventSlim();
        var thread = new Thread(() =>
        {
            while (!done.Wait(milliseconds))
                redraw();
        });
        thread.Start();
        try
        {
            return work();
        }
        finally
        {
            done.Set();
            thread.Join();
        }
    }
}
