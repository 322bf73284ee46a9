namespace TdxVerify.Properties.Exploration;

/// <summary>Brings packed states to their normal form (<see cref="Model.ISystem{TLocal}.Normal(Model.Cell)"/>).</summary>
/// <remarks>One for all workers, and for one layout. What becomes of a value is found out once.</remarks>
internal sealed unsafe class NormalForm
{
    private const int Unknown = -1;

    private readonly StateLayout.Slot[] _slots;
    private readonly int[] _targets;
    private readonly int[][] _numbers;
    private readonly Func<int, int, int> _learn;

    /// <summary>For a layout.</summary>
    /// <param name="layout">The layout; with a cell it has the one to which its value goes.</param>
    /// <param name="targets">For each slot, the slot to which its number goes.</param>
    /// <param name="learn">Slot and number: the number there.</param>
    public NormalForm(StateLayout layout, int[] targets, Func<int, int, int> learn)
    {
        _slots = layout.Slots;
        _targets = targets;
        _learn = learn;
        _numbers = [.. layout.Slots.Select(slot =>
        {
            int[] numbers = new int[slot.Capacity];
            Array.Fill(numbers, Unknown);
            return numbers;
        })];
    }

    /// <summary>Brings a state to its normal form.</summary>
    public void Apply(ulong* state)
    {
        int* normal = stackalloc int[_slots.Length];
        for (int slot = 0; slot < _slots.Length; slot++)
        {
            int number = _slots[slot].Read(state);
            int to = _numbers[slot][number];
            if (to == Unknown)
                _numbers[slot][number] = to = _learn(slot, number);
            normal[slot] = to;
        }

        for (int slot = 0; slot < _slots.Length; slot++)
            _slots[_targets[slot]].Write(state, normal[slot]);
    }
}
