using System.Runtime.InteropServices;

namespace KubeProxy.Netlink;

/// <summary>A sequence of attributes, for <c>foreach</c>. Switch on the types you know, and skip the others.</summary>
public readonly ref struct NlAttributes(ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;

    /// <summary>Begins.</summary>
    public Enumerator GetEnumerator() => new(_bytes);

    /// <summary>The first attribute of that type, without flags.</summary>
    /// <returns>False when there is none.</returns>
    /// <exception cref="NetlinkFormatException">An attribute before it is malformed.</exception>
    public bool TryFind<TAttribute>(TAttribute type, out NlAttribute found) where TAttribute : unmanaged, Enum
    {
        foreach (var attribute in this)
        {
            if (!EqualityComparer<TAttribute>.Default.Equals(attribute.As<TAttribute>(), type)) continue;
            found = attribute;
            return true;
        }

        found = default;
        return false;
    }

    /// <summary>Goes through the attributes.</summary>
    public ref struct Enumerator
    {
        private ReadOnlySpan<byte> _rest;

        internal Enumerator(ReadOnlySpan<byte> bytes) => _rest = bytes;

        /// <summary>The attribute found.</summary>
        public NlAttribute Current { get; private set; }

        /// <summary>Finds the next one.</summary>
        /// <exception cref="NetlinkFormatException">The length of an attribute does not fit what holds it.</exception>
        public bool MoveNext()
        {
            if (_rest.IsEmpty) return false;
            if (_rest.Length < 4) Throw(_rest.Length, 4);
            var length = MemoryMarshal.Read<ushort>(_rest);
            if (length < 4 || length > _rest.Length) Throw(_rest.Length, length);
            Current = new NlAttribute(MemoryMarshal.Read<ushort>(_rest[2..]), _rest[4..length]);
            // The padding of the last one may be missing.
            _rest = _rest[Math.Min(NlMsgHeader.Align(length), _rest.Length)..];
            return true;
        }

        private static void Throw(int available, int length) =>
            throw new NetlinkFormatException($"A netlink attribute of {length} bytes in {available} bytes.");
    }
}
