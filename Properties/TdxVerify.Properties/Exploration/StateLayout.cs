using System.Numerics;
using TdxVerify.Model;

namespace TdxVerify.Properties.Exploration;

/// <summary>
/// Where each part of a state is in its words: first the locals of each agent, then the cells that ever change, each as
/// the number of its value. All parts at their start are all zeros.
/// </summary>
internal sealed class StateLayout
{
    private readonly Dictionary<Cell, int> _slots = [];

    /// <summary>A layout with room for so many values in each part.</summary>
    public StateLayout(IReadOnlyList<int> localCounts, IReadOnlyList<(Cell Cell, int Values)> cells)
    {
        Agents = localCounts.Count;
        Cells = [.. cells.Select(cell => cell.Cell)];
        Slots = new Slot[Agents + Cells.Count];
        for (int i = 0; i < Cells.Count; i++)
            _slots.Add(Cells[i], Agents + i);

        // The widest first, each into the first word that has room.
        int[] widths = [.. localCounts.Concat(cells.Select(cell => cell.Values)).Select(count => BitOperations.Log2((uint)Math.Max(count - 1, 1)) + 1)];
        var used = new List<int>();
        foreach (int slot in Enumerable.Range(0, widths.Length).OrderByDescending(slot => widths[slot]))
        {
            int word = used.FindIndex(bits => bits + widths[slot] <= 64);
            if (word < 0)
            {
                word = used.Count;
                used.Add(0);
            }

            Slots[slot] = new Slot(word, used[word], widths[slot]);
            used[word] += widths[slot];
        }

        Words = used.Count;
    }

    /// <summary>Agents, which have the first slots.</summary>
    public int Agents { get; }

    /// <summary>The cells that ever change, in the order of their slots.</summary>
    public IReadOnlyList<Cell> Cells { get; }

    /// <summary>The parts.</summary>
    public Slot[] Slots { get; }

    /// <summary>Words of a state.</summary>
    public int Words { get; }

    /// <summary>The slot of a cell; -1: it never changes.</summary>
    public int SlotOf(Cell cell) => _slots.GetValueOrDefault(cell, -1);

    /// <summary>Some bits of a word.</summary>
    internal readonly struct Slot(int word, int shift, int width)
    {
        private const int WordShift = 8;

        public readonly int Word = word;
        public readonly int Shift = shift;
        public readonly int Width = width;
        public readonly ulong Mask = ((1UL << width) - 1) << shift;

        public int Capacity => 1 << Width;

        /// <summary>Word and shift in one number; <see cref="ReadAt"/> takes it.</summary>
        public int Place => (Word << WordShift) | Shift;

        /// <summary>The number at a place.</summary>
        public static unsafe int ReadAt(ulong* state, int place, int mask) => (int)(state[place >> WordShift] >> (place & ((1 << WordShift) - 1))) & mask;

        public unsafe int Read(ulong* state) => (int)((state[Word] & Mask) >> Shift);

        public unsafe void Write(ulong* state, int number) => state[Word] = (state[Word] & ~Mask) | ((ulong)(uint)number << Shift);
    }
}
