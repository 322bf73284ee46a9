using System.Numerics;

namespace TdxVerify.Properties.Choices;

/// <summary>
/// The one flat stream of choices that a run is decoded from: a fixed number of 64-bit values for each operation. A
/// fixed number, so that taking out an operation leaves the choices of all others as they are; 0 always stands for
/// the simplest choice. Streams from a seed are computed value by value, shrunk ones hold their values.
/// </summary>
public sealed class ChoiceStream
{
    /// <summary>Values for each operation.</summary>
    public const int Width = 16;

    // Of SplitMix64: 2^64 divided by the golden ratio.
    private const ulong Gamma = 0x9E37_79B9_7F4A_7C15;

    private readonly ulong[]? _values;

    private ChoiceStream(ulong seed, ulong[]? values, int operations)
    {
        Seed = seed;
        _values = values;
        Operations = operations;
    }

    /// <summary>The seed that it is computed from; 0 where it holds its values.</summary>
    public ulong Seed { get; }

    /// <summary>How many operations the stream decides.</summary>
    public int Operations { get; }

    /// <summary>A stream computed from a seed.</summary>
    public static ChoiceStream FromSeed(ulong seed, int operations) => new(seed, null, operations);

    /// <summary>The seed of one stream of many: other ones for every seed, neighbouring seeds too.</summary>
    /// <param name="seed">The seed of all of them together.</param>
    /// <param name="number">Which of them, from 0.</param>
    public static ulong SeedOf(ulong seed, ulong number) => SplitMix(seed ^ (number * Gamma), 0);

    /// <summary>A stream of these values, <see cref="Width"/> for each operation.</summary>
    public static ChoiceStream FromValues(ulong[] values) => new(0, values, values.Length / Width);

    /// <summary>Value <paramref name="position"/> of operation <paramref name="operation"/>.</summary>
    public ulong this[int operation, int position]
    {
        get
        {
            int index = (operation * Width) + position;
            return _values is null ? SplitMix(Seed, (uint)index) : _values[index];
        }
    }

    /// <summary>
    /// A value behind those of the operations: what decides between calls that overlap comes from there. In a stream that
    /// holds its values there is none, and every such choice is the simplest.
    /// </summary>
    public ulong Behind(ulong position) => _values is null ? SplitMix(Seed, ((ulong)Operations * Width) + position) : 0;

    /// <summary>All values.</summary>
    public ulong[] ToArray()
    {
        if (_values is not null)
            return (ulong[])_values.Clone();
        var values = new ulong[Operations * Width];
        for (int i = 0; i < values.Length; i++)
            values[i] = SplitMix(Seed, (uint)i);
        return values;
    }

    /// <inheritdoc/>
    public override string ToString() => _values is null
        ? $"{Operations} operations from seed 0x{Seed:x}"
        : $"{Operations} operations, {_values.Count(value => value != 0)} choices that are not the simplest";

    // SplitMix64 (Steele, Lea, Flood 2014): value i of a seed without computing the ones before.
    private static ulong SplitMix(ulong seed, ulong index)
    {
        ulong z = seed + ((index + 1) * Gamma);
        z = (z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9;
        z = (z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB;
        return z ^ (z >> 31);
    }
}

/// <summary>Reads the choices of one operation; behind its last value every choice is the simplest.</summary>
public ref struct ChoiceReader(ChoiceStream stream, int operation)
{
    private readonly ChoiceStream _stream = stream;
    private readonly int _operation = operation;
    private int _position;

    /// <summary>A raw value.</summary>
    public ulong Next() => _position < ChoiceStream.Width ? _stream[_operation, _position++] : 0;

    /// <summary>A number below <paramref name="count"/>.</summary>
    public int Below(int count) => count <= 1 ? Skip() : (int)(Next() % (uint)count);

    /// <summary>True in so many of a hundred cases; false is the simplest.</summary>
    public bool Percent(int percent) => Next() % 100 >= 100UL - (uint)percent;

    /// <summary>One of these; the first is the simplest.</summary>
    public T OneOf<T>(scoped ReadOnlySpan<T> items) => items[Below(items.Length)];

    /// <summary>An index with a probability proportional to its weight; the first with any weight is the simplest.</summary>
    public int Weighted(scoped ReadOnlySpan<int> weights)
    {
        int total = 0;
        foreach (int weight in weights)
            total += weight;
        int value = Below(total);
        for (int i = 0; i < weights.Length; i++)
        {
            if (value < weights[i])
                return i;
            value -= weights[i];
        }

        return weights.Length - 1;
    }

    /// <summary>A value with few bits set, or a random one.</summary>
    public ulong Garbage()
    {
        ulong value = Next();
        return (value & 3) switch
        {
            0 => 0,
            1 => 1UL << (int)(value >> 8 & 63),
            2 => BitOperations.RotateLeft(value >> 40, (int)(value >> 2 & 63)),
            _ => value,
        };
    }

    // A choice without alternatives still takes its value, so that what follows does not depend on it.
    private int Skip()
    {
        Next();
        return 0;
    }
}
