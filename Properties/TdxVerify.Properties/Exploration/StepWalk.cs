using TdxVerify.Model;

namespace TdxVerify.Properties.Exploration;

/// <summary>One step of an agent in a packed state, looked up in what is known about the agent's steps.</summary>
/// <param name="nodes">The numbers of the agent's <see cref="StepTree"/>.</param>
/// <param name="state">The state.</param>
/// <param name="agent">The agent.</param>
/// <param name="parent">The place of the state in its block.</param>
/// <param name="successors">Where the states that follow are appended.</param>
/// <param name="normal">Brings them to their normal form; null: no step asked for it yet.</param>
internal unsafe ref struct StepWalk(int* nodes, ulong* state, int agent, int parent, Successors successors, NormalForm? normal)
{
    private readonly int* _nodes = nodes;
    private readonly ulong* _state = state;
    private int _choice = 0;

    /// <summary>No other agent is assumed to use what the step uses in a conflicting way.</summary>
    public bool IsIndependent { get; private set; } = true;

    /// <summary>Goes all ways from a node on. False: what follows is not known, and some of it may have been appended.</summary>
    public bool Walk(int node, out StepEnd end)
    {
        end = StepEnd.Moved;
        while (_nodes[node] >= 0)
        {
            int answer = StateLayout.Slot.ReadAt(_state, _nodes[node], _nodes[node + 1]);
            node = Volatile.Read(ref _nodes[node + StepTree.QuestionSize + answer]);
            if (node == 0)
                return false;
        }

        if (_nodes[node] != StepTree.End)
            return WalkEachWay(node, out end);
        end = Finish(_nodes + node);
        return true;
    }

    // A step that may go on in several ways moved if one of them did.
    private bool WalkEachWay(int node, out StepEnd end)
    {
        end = StepEnd.Done;
        int ways = -_nodes[node];
        for (int i = 1; i <= ways; i++)
        {
            int child = Volatile.Read(ref _nodes[node + i]);
            if (child == 0 || !Walk(child, out StepEnd one))
                return false;
            end = one < end ? one : end;
        }

        return true;
    }

    private StepEnd Finish(int* leaf)
    {
        int bits = leaf[1];
        int choice = _choice++;
        IsIndependent &= (bits & StepTree.IndependentBit) != 0;
        var end = (StepEnd)(bits & StepTree.EndBits);
        if (end != StepEnd.Moved)
            return end;
        ulong* next = successors.Add(_state, new Transition((byte)agent, (StepTraits)(byte)(bits & ~StepTree.EndBits), choice, parent, leaf[4], *(ulong*)(leaf + 2)));
        int* word = leaf + StepTree.EndSize;
        for (int* last = word + (leaf[5] * StepTree.WordSize); word != last; word += StepTree.WordSize)
            next[word[0]] = (next[word[0]] & *(ulong*)(word + 1)) | *(ulong*)(word + 3);
        if ((bits & (int)StepTraits.Normalizes) != 0)
            normal!.Apply(next);
        return end;
    }
}
