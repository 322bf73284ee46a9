using System.Runtime.InteropServices;
using TdxVerify.Model;
using HostThread = TdxVerify.Host.Thread;

namespace TdxVerify.Tests.Host;

/// <summary>Whole states as text, to compare them.</summary>
internal static class StateText
{
    /// <summary>All locals, and the cells that are not 0, each named and brought to another value by <paramref name="rename"/>.</summary>
    public static string Of(ISystemState<HostThread> state, IEnumerable<Cell> cells, int agents, Func<Cell, ulong, (Cell, ulong)>? rename = null)
    {
        var lines = new SortedSet<string>(StringComparer.Ordinal);
        foreach (Cell cell in cells)
        {
            (Cell name, ulong value) = rename is null ? (cell, state.Read(cell)) : rename(cell, state.Read(cell));
            if (value != 0)
                lines.Add($"{name.Key:x} = {value:x}");
        }

        for (int agent = 0; agent < agents; agent++)
            lines.Add($"agent {agent}: {Of(state.Local(agent))}");
        return string.Join('\n', lines);
    }

    /// <summary>A thread.</summary>
    public static string Of(HostThread thread) => Convert.ToHexString(MemoryMarshal.AsBytes(new ReadOnlySpan<HostThread>(in thread)));
}
