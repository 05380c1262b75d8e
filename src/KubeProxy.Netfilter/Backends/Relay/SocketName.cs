using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using KubeProxy.Core.Model;
using KubeProxy.Netlink.Interop;

namespace KubeProxy.Netfilter.Backends.Relay;

/// <summary><c>struct sockaddr_in</c> or <c>struct sockaddr_in6</c> (linux/in.h, linux/in6.h): an address and port for the kernel.</summary>
[StructLayout(LayoutKind.Sequential, Size = MaxLength)]
internal unsafe struct SocketName
{
    /// <summary>The length of the longer of the two.</summary>
    public const int MaxLength = 28;

    private fixed byte _bytes[MaxLength];

    public SocketName(IpEndpoint endpoint)
    {
        var bytes = Bytes;
        var isIPv4 = endpoint.Address.Family == IpFamily.IPv4;
        MemoryMarshal.Write(bytes, (ushort)(isIPv4 ? LibC.AF_INET : LibC.AF_INET6));
        BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], endpoint.Port);
        endpoint.Address.WriteBytes(bytes[(isIPv4 ? 4 : 8)..]);
    }

    /// <summary>How long it is, by its family.</summary>
    public readonly uint Length => LengthOf(Family == LibC.AF_INET ? IpFamily.IPv4 : IpFamily.IPv6);

    private readonly ushort Family => Unsafe.ReadUnaligned<ushort>(ref Unsafe.AsRef(in _bytes[0]));

    private Span<byte> Bytes => MemoryMarshal.CreateSpan(ref _bytes[0], MaxLength);

    /// <summary>How long the names of a family are.</summary>
    public static uint LengthOf(IpFamily family) => family == IpFamily.IPv4 ? 16u : 28u;

    /// <summary>What it says; false when it is of neither family.</summary>
    public bool TryRead(out IpEndpoint endpoint)
    {
        var bytes = Bytes;
        endpoint = default;
        if (Family is not (LibC.AF_INET or LibC.AF_INET6)) return false;
        var address = Family == LibC.AF_INET ? bytes[4..8] : bytes[8..24];
        endpoint = new IpEndpoint(IpAddr.FromBytes(address), BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]));
        return true;
    }
}
