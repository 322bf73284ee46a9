using System.Buffers.Binary;

namespace TdxVerify.Properties.Generation;

/// <summary>TD_PARAMS as the host writes it before TDH.MNG.INIT: legal ones, and ones with one illegal field.</summary>
internal static class TdParamsImage
{
    public const int Size = 1024;
    private const ulong SeptVeDisable = 0x1000_0000;

    private static readonly (int Offset, ulong Value)[] s_illegal =
    [
        (0, 1UL << 40), (8, 0), (8, 3 | (1UL << 40)), (16, 0), (24, 0x16), (24, 0x18), (32, 1UL << 60), (40, 3), (40, 401),
        (0, 1UL << 29 | 1), (0, 1UL << 29 | 1UL << 63), (16, 2UL << 24 | 1), (224, 1),
        (16, 1UL << 32 | 1), (48, 1), (232, 1), (960, 1), (16, 4UL << 16 | 1), (448, 1), (448, 1UL << 40), (448, 1UL << 60),
        (544, 1), (16, 1UL << 16 | 1),
    ];

    /// <summary>
    /// An image; <paramref name="illegal"/> from 0 on puts an illegal value in. The last of them, one L2 VM, is illegal
    /// only where the TDCS has no page for it; with that page it is legal and not modelled.
    /// </summary>
    public static byte[] Build(bool septVeDisable, bool fiveLevels, bool wideGpa, int maxVcpus, int illegal, bool mayNameL2Vms)
    {
        var image = new byte[Size];
        Put(image, 0, septVeDisable ? SeptVeDisable : 0);
        Put(image, 8, 3);
        Put(image, 16, (ulong)maxVcpus);
        Put(image, 24, fiveLevels || wideGpa ? 0x26UL : 0x1E);
        Put(image, 32, wideGpa ? 1UL : 0);
        Put(image, 40, 40);
        if (illegal >= 0)
        {
            (int offset, ulong value) = s_illegal[illegal % (s_illegal.Length - (mayNameL2Vms ? 0 : 1))];
            Put(image, offset, value);
        }

        return image;
    }

    private static void Put(byte[] image, int offset, ulong value) =>
        BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(offset), value);
}
