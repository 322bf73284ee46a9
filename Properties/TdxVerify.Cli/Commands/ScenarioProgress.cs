using TdxVerify.Properties.Exploration;

namespace TdxVerify.Cli.Commands;

/// <summary>A line that shows how far a search is, where standard output is a terminal.</summary>
internal sealed class ScenarioProgress(Terminal terminal, bool isShown) : IDisposable
{
    private bool _isThere;

    /// <summary>The search is here.</summary>
    public void Show(SearchProgress at)
    {
        if (!isShown || !terminal.IsInteractive)
            return;
        string line = $"{at.Elapsed.TotalSeconds,4:0} s  {Counts.Short(at.States)} states  {Counts.Short(at.Transitions)} transitions  depth {at.Depth}  "
            + $"frontier {Counts.Short(at.Frontier)}  {Counts.Short((long)at.StatesPerSecond)} states/s  {at.Bytes / 1e6:#,0} MB";
        lock (terminal)
        {
            _isThere = true;
            terminal.ShowLine(line);
        }
    }

    /// <summary>The line goes.</summary>
    public void Dispose()
    {
        lock (terminal)
        {
            if (_isThere)
                terminal.ClearLine();
            _isThere = false;
        }
    }
}
