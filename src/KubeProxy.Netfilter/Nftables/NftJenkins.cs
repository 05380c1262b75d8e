using System.Buffers.Binary;
using System.Numerics;

namespace KubeProxy.Netfilter.Nftables;

/// <summary>The hash of the kernel's <c>jhash</c> expression (Bob Jenkins' lookup3, <c>linux/jhash.h</c>), to find elements that rules have added by it.</summary>
public static class NftJenkins
{
    private const uint Initial = 0xdeadbeef; // JHASH_INITVAL

    /// <summary>What <c>jhash … mod modulus seed seed</c> yields for these bytes of registers.</summary>
    /// <param name="value">Whole registers: a multiple of 4 bytes.</param>
    /// <param name="modulus">1 or more.</param>
    /// <param name="seed">The seed.</param>
    /// <returns>0 to <paramref name="modulus"/> - 1.</returns>
    /// <exception cref="ArgumentException">The value has no multiple of 4 bytes.</exception>
    public static uint Hash(ReadOnlySpan<byte> value, uint modulus, uint seed)
    {
        if (value.Length % 4 != 0) throw new ArgumentException("Registers have 4 bytes each.", nameof(value));
        return (uint)(((ulong)Hash(value, seed) * modulus) >> 32); // reciprocal_scale()
    }

    private static uint Hash(ReadOnlySpan<byte> value, uint seed)
    {
        uint a, b, c;
        a = b = c = Initial + (uint)value.Length + seed;
        for (; value.Length > 12; value = value[12..])
        {
            a += Word(value, 0);
            b += Word(value, 1);
            c += Word(value, 2);
            Mix(ref a, ref b, ref c);
        }

        if (value.IsEmpty) return c;
        a += Word(value, 0);
        b += Word(value, 1);
        c += Word(value, 2);
        Finish(ref a, ref b, ref c);
        return c;
    }

    // The kernel reads in the order of the machine.
    private static uint Word(ReadOnlySpan<byte> value, int index)
    {
        if (value.Length < (index + 1) * 4) return 0;
        var word = value.Slice(index * 4, 4);
        return BitConverter.IsLittleEndian ? BinaryPrimitives.ReadUInt32LittleEndian(word) : BinaryPrimitives.ReadUInt32BigEndian(word);
    }

    private static void Mix(ref uint a, ref uint b, ref uint c)
    {
        Step(ref a, ref c, b, 4);
        Step(ref b, ref a, c, 6);
        Step(ref c, ref b, a, 8);
        Step(ref a, ref c, b, 16);
        Step(ref b, ref a, c, 19);
        Step(ref c, ref b, a, 4);

        static void Step(ref uint x, ref uint y, uint z, int bits)
        {
            x -= y;
            x ^= BitOperations.RotateLeft(y, bits);
            y += z;
        }
    }

    private static void Finish(ref uint a, ref uint b, ref uint c)
    {
        Step(ref c, b, 14);
        Step(ref a, c, 11);
        Step(ref b, a, 25);
        Step(ref c, b, 16);
        Step(ref a, c, 4);
        Step(ref b, a, 14);
        Step(ref c, b, 24);

        static void Step(ref uint x, uint y, int bits)
        {
            x ^= y;
            x -= BitOperations.RotateLeft(y, bits);
        }
    }
}
