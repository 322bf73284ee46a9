using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace TdxVerify.Properties.Exploration;

/// <summary>The locals that one agent was ever seen to have, numbered from 0, those at the start.</summary>
internal sealed class LocalTable<TLocal>
    where TLocal : unmanaged
{
    private readonly Dictionary<TLocal, int> _numbers = new(new Bytes());
    private TLocal[] _locals = new TLocal[16];

    public LocalTable(in TLocal start) => Number(start);

    public int Count { get; private set; }

    public ref readonly TLocal this[int number] => ref _locals[number];

    public int Number(in TLocal local)
    {
        if (_numbers.TryGetValue(local, out int number))
            return number;
        if (Count == _locals.Length)
            Array.Resize(ref _locals, 2 * Count);
        _locals[Count] = local;
        _numbers.Add(local, Count);
        return Count++;
    }

    private sealed class Bytes : IEqualityComparer<TLocal>
    {
        public bool Equals(TLocal x, TLocal y) => Span(ref x).SequenceEqual(Span(ref y));

        public int GetHashCode([DisallowNull] TLocal local)
        {
            var hash = default(HashCode);
            hash.AddBytes(Span(ref local));
            return hash.ToHashCode();
        }

        private static ReadOnlySpan<byte> Span(ref TLocal local) =>
            MemoryMarshal.CreateReadOnlySpan(ref Unsafe.As<TLocal, byte>(ref local), Unsafe.SizeOf<TLocal>());
    }
}
