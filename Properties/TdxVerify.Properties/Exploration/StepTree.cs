using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace TdxVerify.Properties.Exploration;

/// <summary>
/// All that is known about the steps of one agent: for each of its locals a tree that asks for the value of one slot
/// after the other, as the step did when it was carried out, and ends in what the step changes.
/// </summary>
/// <remarks>
/// Why: a step of the model costs a microsecond, and an explorer makes the same few thousand steps millions of times.
/// A step depends on nothing but its agent's locals, the cells that it reads and what is chosen in it
/// (<see cref="Model.ISystem{TLocal}"/>), so what it did once it does again: walking the tree takes some ten
/// nanoseconds. Readers take no lock: a tree only grows, and a child is linked when it is complete.
/// <para>
/// A node is a run of numbers: a question (where the slot is in the state, its mask, one child for each value), a choice
/// (-n, n children), or an end (<see cref="End"/>, outcome, the two halves of the events, attempt, how many words change,
/// then for each its number and the halves of the bits to keep and of the bits to set). A child 0 is not known yet. The
/// numbers are at an address that stays, so that no access asks for the bounds; what was outgrown is kept for those who
/// still walk in it.
/// </para>
/// </remarks>
internal sealed unsafe class StepTree
{
    /// <summary>Marks an end; a choice among n is -n, n at least 2.</summary>
    public const int End = -1;

    /// <summary>Numbers of a question before its first child.</summary>
    public const int QuestionSize = 2;

    /// <summary>Numbers of an end before its first word.</summary>
    public const int EndSize = 6;

    /// <summary>Numbers for each word that an end changes.</summary>
    public const int WordSize = 5;

    /// <summary>Of an end's outcome: the bits that are a <see cref="Model.StepEnd"/>; those of the traits are above.</summary>
    public const int EndBits = 3;

    /// <summary>Of an end's outcome, above the traits: nobody else is assumed to use what the step uses in a conflicting way.</summary>
    public const int IndependentBit = 1 << 8;

    private readonly List<int[]> _grown = [];
    private int[] _nodes = Pinned(1024);
    private int[] _roots = new int[64];
    private int _count = 1;

    /// <summary>The numbers of all nodes.</summary>
    public int* Nodes => (int*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(Volatile.Read(ref _nodes)));

    /// <summary>The node to begin with, for locals; 0: not known.</summary>
    public int Root(int local)
    {
        int[] roots = Volatile.Read(ref _roots);
        return local < roots.Length ? Volatile.Read(ref roots[local]) : 0;
    }

    /// <summary>Adds what a step did. The caller holds the lock of its system.</summary>
    /// <param name="local">The locals with which it began.</param>
    /// <param name="path">What it asked for: a slot, or -n for a choice among n; the answer; how many there can be.</param>
    /// <param name="slots">The slots.</param>
    /// <param name="end">The numbers of its end.</param>
    public void Add(int local, IReadOnlyList<(int Question, int Answer, int Children)> path, StateLayout.Slot[] slots, ReadOnlySpan<int> end)
    {
        if (local >= _roots.Length)
        {
            int[] roots = new int[2 * local];
            _roots.CopyTo(roots, 0);
            Volatile.Write(ref _roots, roots);
        }

        // The part that is known already is followed, the rest is built from its end, so that what is linked is complete.
        int depth = 0;
        int parent = 0;
        for (int node = _roots[local]; node != 0 && depth < path.Count; node = _nodes[parent], depth++)
            parent = node + SizeOf(path[depth].Question) + path[depth].Answer;
        int first = Append(end);
        for (int i = path.Count - 1; i >= depth; i--)
        {
            int question = path[i].Question;
            int node = Reserve(SizeOf(question) + path[i].Children);
            _nodes[node] = question < 0 ? question : slots[question].Place;
            if (question >= 0)
                _nodes[node + 1] = slots[question].Capacity - 1;
            _nodes[node + SizeOf(question) + path[i].Answer] = first;
            first = node;
        }

        if (depth == 0)
            Volatile.Write(ref _roots[local], first);
        else
            Volatile.Write(ref _nodes[parent], first);
    }

    private static int SizeOf(int question) => question < 0 ? 1 : QuestionSize;

    private static int[] Pinned(int length) => GC.AllocateArray<int>(length, pinned: true);

    private int Append(ReadOnlySpan<int> numbers)
    {
        int at = Reserve(numbers.Length);
        numbers.CopyTo(_nodes.AsSpan(at));
        return at;
    }

    private int Reserve(int count)
    {
        int at = _count;
        _count += count;
        if (_count > _nodes.Length)
        {
            int[] nodes = Pinned(Math.Max(2 * _nodes.Length, _count));
            _grown.Add(_nodes);
            _nodes.AsSpan(0, at).CopyTo(nodes);
            Volatile.Write(ref _nodes, nodes);
        }

        return at;
    }
}
