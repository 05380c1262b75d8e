using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using KubeProxy.Core.Model;

namespace KubeProxy.Netfilter.Nftables;

/// <summary>Makes <see cref="NftData"/> in the form that each type has in a register.</summary>
public static class NftValue
{
    /// <summary>The largest interface name in bytes (<c>IFNAMSIZ</c> less its end).</summary>
    public const int MaxIfnameLength = 15; // IFNAMSIZ - 1 in linux/if.h

    /// <summary><c>ipv4_addr</c> or <c>ipv6_addr</c>.</summary>
    public static NftData Address(IpAddr address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.WriteBytes(bytes);
        return new NftData(bytes[..address.Length]);
    }

    /// <summary><c>inet_service</c>.</summary>
    public static NftData Port(ushort port)
    {
        Span<byte> bytes = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, port);
        return new NftData(bytes);
    }

    /// <summary><c>inet_proto</c>.</summary>
    public static NftData Protocol(Protocol protocol) => new([(byte)protocol]);

    /// <summary><c>nf_proto</c>: <see cref="NftFamily.Ip"/> or <see cref="NftFamily.Ip6"/>.</summary>
    public static NftData Family(NftFamily family) => new([(byte)family]);

    /// <summary>A number in host order: <c>mark</c>, <c>integer</c>, <c>ct_state</c>, <c>fib_addrtype</c> ...</summary>
    public static NftData Number(uint value) => new(MemoryMarshal.AsBytes(new ReadOnlySpan<uint>(in value)));

    /// <summary><c>ifname</c>.</summary>
    /// <exception cref="ArgumentException">The name is empty or longer than <see cref="MaxIfnameLength"/> bytes.</exception>
    public static NftData Ifname(string name)
    {
        var length = Encoding.UTF8.GetByteCount(name);
        if (length is 0 or > MaxIfnameLength)
            throw new ArgumentException($"'{name}' is not an interface name: it needs 1 to {MaxIfnameLength} bytes.", nameof(name));
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        Encoding.UTF8.GetBytes(name, bytes);
        return new NftData(bytes);
    }

    /// <summary>A concatenation: every part padded to 4 bytes.</summary>
    /// <exception cref="ArgumentException">It is longer than <see cref="NftData.MaxLength"/>.</exception>
    public static NftData Concat(params ReadOnlySpan<NftData> parts)
    {
        Span<byte> bytes = stackalloc byte[NftData.MaxLength];
        bytes.Clear();
        var length = 0;
        foreach (ref readonly var part in parts)
        {
            if (length + NftDataTypes.Padded(part.Length) > bytes.Length)
                throw new ArgumentException($"A concatenation has at most {NftData.MaxLength} bytes.", nameof(parts));
            part.Span.CopyTo(bytes[length..]);
            length += NftDataTypes.Padded(part.Length);
        }

        return new NftData(bytes[..length]);
    }
}
