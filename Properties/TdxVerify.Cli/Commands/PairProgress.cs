using System.Diagnostics;

namespace TdxVerify.Cli.Commands;

/// <summary>A line that shows how many pairs are explored, where standard output is a terminal.</summary>
internal sealed class PairProgress(Terminal terminal, int pairs, bool asJson) : IDisposable
{
    private readonly Stopwatch _sinceLast = Stopwatch.StartNew();
    private int _done;
    private bool _isShown;

    /// <summary>One more pair is explored.</summary>
    public void Done()
    {
        int done = Interlocked.Increment(ref _done);
        if (asJson || !terminal.IsInteractive || _sinceLast.ElapsedMilliseconds < 250)
            return;
        lock (_sinceLast)
        {
            if (_sinceLast.ElapsedMilliseconds < 250)
                return;
            _sinceLast.Restart();
            _isShown = true;
            terminal.Out.Write($"\r{done:#,0} of {pairs:#,0} pairs");
            terminal.Out.Flush();
        }
    }

    /// <summary>The line goes.</summary>
    public void Dispose()
    {
        if (_isShown)
            terminal.Out.Write("\r\e[K");
        _isShown = false;
    }
}
