using System.Numerics;
using TdxVerify.Model;

namespace TdxVerify.Properties.Lanes;

/// <summary>The locks that a call in flight holds, in words.</summary>
internal static class HeldLocks
{
    /// <summary>All but those on PAMT entries of large sizes: a page's entries count as one, the parents are always shared.</summary>
    public static string Of(in Call call)
    {
        var names = new List<string>();
        for (uint held = (uint)call.Held; held != 0; held &= held - 1)
        {
            var id = (LockId)BitOperations.TrailingZeroCount(held);
            if (id.PamtSize() <= 0)
                names.Add($"{id.Column().Name()}{(id == LockId.SeptEntry ? "" : call.HoldsExclusive(id) ? " exclusive" : " shared")}");
        }

        return string.Join(", ", names);
    }
}
