using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>All declared leaves of a module profile, found by leaf number and version.</summary>
/// <typeparam name="S">The layout of the state.</typeparam>
public sealed class LeafSet<S>
    where S : struct, IState
{
    private const int Versions = 2;

    private readonly Leaf<S>?[] _host = new Leaf<S>?[128 * Versions];
    private readonly Leaf<S>?[] _guest = new Leaf<S>?[64];

    private LeafSet(ModuleProfile profile, IReadOnlyList<Leaf<S>> all)
    {
        Profile = profile;
        All = all;
        for (int i = 0; i < all.Count; i++)
            all[i].Index = i;
        HostDispatcher = Find("SEAMCALL dispatcher");
        GuestDispatcher = Find("TDCALL dispatcher");
        GuestMemory = Find("guest memory access");
        TdExit = Find("TD exit");
        foreach (Leaf<S> leaf in all.Where(leaf => leaf.Id.Number >= 0))
        {
            if (leaf.Id.IsGuest)
                _guest[leaf.Id.Number] = leaf;
            else
                _host[(leaf.Id.Number * Versions) + (leaf.Id.Name.EndsWith("(version 1)", StringComparison.Ordinal) ? 1 : 0)] = leaf;
        }

        // A leaf with one list of steps checks its version itself.
        for (int number = 0; number < 128; number++)
            _host[(number * Versions) + 1] ??= _host[number * Versions];
    }

    /// <summary>The profile.</summary>
    public ModuleProfile Profile { get; }

    /// <summary>All lists of steps, dispatchers included, in the order of documents.</summary>
    public IReadOnlyList<Leaf<S>> All { get; }

    /// <summary>The host dispatcher's checks.</summary>
    public Leaf<S> HostDispatcher { get; }

    /// <summary>The guest dispatcher's checks.</summary>
    public Leaf<S> GuestDispatcher { get; }

    /// <summary>A guest access to memory.</summary>
    public Leaf<S> GuestMemory { get; }

    /// <summary>TD exit.</summary>
    public Leaf<S> TdExit { get; }

    /// <summary>The leaves of a profile, as declared.</summary>
    public static LeafSet<S> Of(ModuleProfile profile)
    {
        List<Leaf<S>> leaves =
        [
            Dispatcher<S>.Declare(profile),
            MngCreate<S>.Declare(), MngKey<S>.DeclareConfig(), MngAddCx<S>.Declare(), MngInit<S>.Declare(profile),
            MngKey<S>.DeclareVpFlushDone(), MngKey<S>.DeclareFreeId(), MngKey<S>.DeclareReclaimId(), MetadataRead<S>.DeclareMngRd(profile),
            VpCreate<S>.DeclareCreate(), VpCreate<S>.DeclareAddCx(), VpInit<S>.DeclareVersion0(profile),
        ];
        if (profile == ModuleProfile.V1_5_05)
            leaves.Add(VpInit<S>.DeclareVersion1());
        leaves.AddRange(
        [
            VpEnter<S>.Declare(), VpFlush<S>.Declare(), MetadataRead<S>.DeclareVpRd(),
            MemSeptAdd<S>.DeclareVersion0(), MemSeptAdd<S>.DeclareVersion1(),
            MemSept<S>.DeclareRemove(0), MemSept<S>.DeclareRemove(1), MemSept<S>.DeclareRd(),
            MemPage<S>.DeclareAdd(), MemPage<S>.DeclareAug(), MemPage<S>.DeclareRemove(), MemPage<S>.DeclareRelocate(),
            MemPromote<S>.DeclarePromote(0), MemPromote<S>.DeclarePromote(1), MemPromote<S>.DeclareDemote(),
            MemRange<S>.DeclareBlock(), MemRange<S>.DeclareUnblock(profile), MemRange<S>.DeclareTrack(),
            Mr<S>.DeclareExtend(), Mr<S>.DeclareFinalize(),
            Phymem<S>.DeclareReclaim(), Phymem<S>.DeclareRdmd(), Phymem<S>.DeclareWbinvd(), Phymem<S>.DeclareCacheWb(),
            TdgVp<S>.DeclareDispatcher(), GuestMemory<S>.Declare(), TdExit<S>.Declare(),
            TdgMem<S>.DeclareAccept(), TdgMem<S>.DeclareAttrRd(), TdgMem<S>.DeclareAttrWr(),
            TdgVp<S>.DeclareVmcall(), TdgVp<S>.DeclareInfo(), TdgVp<S>.DeclareVeInfoGet(),
        ]);
        return new LeafSet<S>(profile, [.. leaves.Select(leaf => Proposals<S>.Apply(profile, leaf))]);
    }

    /// <summary>The same set with one leaf replaced by another of the same id.</summary>
    public LeafSet<S> With(Leaf<S> replacement) =>
        new(Profile, [.. All.Select(leaf => leaf.Id == replacement.Id ? replacement : leaf)]);

    /// <summary>The steps of a SEAMCALL; null where the leaf is not modelled.</summary>
    public Leaf<S>? Host(ulong rax) =>
        LeafNames.Number(rax) < 128 ? _host[(LeafNames.Number(rax) * Versions) + (LeafNames.Version(rax) == 0 ? 0 : 1)] : null;

    /// <summary>The steps of a TDCALL; null where the leaf is not modelled.</summary>
    public Leaf<S>? Guest(ulong rax) => LeafNames.Number(rax) < 64 ? _guest[LeafNames.Number(rax)] : null;

    private Leaf<S> Find(string name) => All.First(leaf => leaf.Id.Name == name);
}
