using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Properties.State;

/// <summary>Where an S-EPT table is.</summary>
/// <param name="Td">The TD.</param>
/// <param name="Gpa">The GPA of its first entry.</param>
/// <param name="Level">The level of its entries.</param>
internal readonly record struct TablePlace(int Td, ulong Gpa, int Level)
{
    /// <summary>The GPA of one of its entries.</summary>
    public ulong GpaOf(int index) => Gpa + ((ulong)index << SeptLevel.Shift(Level));
}

/// <summary>
/// Where the S-EPT tables of all TDs are. Tables know no parents, so the trees are walked from their roots. What a
/// torn-down TD still points to may be gone, or belong to another TD by now: a table counts only where the PAMT agrees.
/// </summary>
internal sealed class SeptMap
{
    private const int EntriesPerTable = 512;

    private readonly IPlatformState _state;
    private readonly Dictionary<int, TablePlace> _places = [];

    public SeptMap(IPlatformState state)
    {
        _state = state;
        foreach (int td in state.Live.Tds)
        {
            if ((OpState)state.Td(td, TdField.OpState) != OpState.UNINITIALIZED)
                Add((int)state.Td(td, TdField.RootTable), new TablePlace(td, 0, (int)state.Td(td, TdField.RootLevel)));
        }
    }

    /// <summary>Finds a table; false where no TD's tree leads to it.</summary>
    public bool TryFind(int table, out TablePlace place) => _places.TryGetValue(table, out place);

    private void Add(int table, TablePlace place)
    {
        if (!BelongsTo(table, place.Td) || !_places.TryAdd(table, place) || place.Level == SeptLevel.Page4K)
            return;
        for (int index = 0; index < EntriesPerTable; index++)
        {
            SeptEntry entry = _state.Entry(new EntryRef(table, index));
            if (SeptStates.NonLeaf.Contains(entry.State))
                Add(entry.Target, new TablePlace(place.Td, place.GpaOf(index), place.Level - 1));
        }
    }

    private bool BelongsTo(int table, int td)
    {
        int page = _state.TablePage(table);
        var at = new PamtRef(0, page);
        return _state.Holder(page) == table
            && (PageType)_state.Pamt(at, PamtField.Type) is PageType.PT_EPT or PageType.PT_TDCX
            && _state.Pamt(at, PamtField.Owner) == _state.Td(td, TdField.TdrPage) + 1;
    }
}
