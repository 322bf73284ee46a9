using System.Runtime.CompilerServices;
using TdxVerify.Abi;

namespace TdxVerify.Reference;

/// <summary>Walks of the S-EPT and the checks of GPAs. A walk takes no lock: each level is one atomic read.</summary>
internal static unsafe class SeptWalk
{
    /// <summary>
    /// Walks down to <paramref name="level"/>, or to where the tree ends: at an entry without permission, or a leaf.
    /// </summary>
    /// <param name="module">The module.</param>
    /// <param name="tdcs">The TD.</param>
    /// <param name="gpa">A private GPA.</param>
    /// <param name="level">In: the level asked for; out: the level reached.</param>
    /// <param name="copy">The entry as read.</param>
    public static ulong* Walk(TdxModule module, Tdcs* tdcs, ulong gpa, ref int level, out ulong copy)
    {
        int wanted = level;
        ulong tableHpa = tdcs->SeptRootHpa;
        for (int current = tdcs->RootLevel; ; current--)
        {
            ulong* table = (ulong*)module.Memory.Find(tableHpa);
            if (table == null)
                throw new ModuleHaltException();
            ulong* entry = table + SeptLevel.Index(gpa, current);
            copy = Volatile.Read(ref *entry);
            if (current == wanted || (copy & SeptEntry.PermissionsMask) == 0 || SeptEntry.IsLeaf(copy))
            {
                level = current;
                return entry;
            }

            if (current == SeptLevel.Page4K)
                throw new ModuleHaltException();
            tableHpa = SeptEntry.TableHpa(copy);
        }
    }

    /// <summary>Reserved bits, level and alignment of a packed operand.</summary>
    public static bool IsValid(PageInfo target, int minLevel, int maxLevel) =>
        target.ReservedAreZero
        && target.Level >= minLevel
        && target.Level <= maxLevel
        && (target.Gpa & (SeptLevel.Size(target.Level) - 1)) == 0;

    /// <summary>SHARED and all bits above it are clear.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsPrivate(Tdcs* tdcs, ulong gpa) => gpa >> Gpa.SharedBit(tdcs->Gpaw) == 0;
}
