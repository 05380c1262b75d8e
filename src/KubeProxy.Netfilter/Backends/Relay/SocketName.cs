using System.Runtime.InteropServices;
using KubeProxy.Core.Model;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace KubeProxy.Netfilter.Backends.Relay;

/// <summary><c>struct sockaddr_in</c> or <c>struct sockaddr_in6</c> (netinet/in.h): an address and port for the kernel.</summary>
[StructLayout(LayoutKind.Explicit, Size = MaxLength)]
internal unsafe struct SocketName
{
    /// <summary>The length of the longer of the two.</summary>
    public const int MaxLength = 28;

    [FieldOffset(0)]
    private sockaddr_in _v4;

    [FieldOffset(0)]
    private sockaddr_in6 _v6;

    public SocketName(IpEndpoint endpoint)
    {
        var isIPv4 = endpoint.Address.Family == IpFamily.IPv4;
        _v4.sin_family = isIPv4 ? AF_INET : AF_INET6;
        _v4.sin_port = htons(endpoint.Port);
        endpoint.Address.WriteBytes(isIPv4 ? BytesV4 : BytesV6);
    }

    /// <summary>How long it is, by its family.</summary>
    public readonly uint Length => LengthOf(Family == AF_INET ? IpFamily.IPv4 : IpFamily.IPv6);

    // Family and port are at the same places in both.
    private readonly int Family => _v4.sin_family;

    private Span<byte> BytesV4 => MemoryMarshal.CreateSpan(ref _v4.sin_addr.s_addr[0], 4);

    private Span<byte> BytesV6 => MemoryMarshal.CreateSpan(ref _v6.sin6_addr.s6_addr[0], 16);

    /// <summary>How long the names of a family are.</summary>
    public static uint LengthOf(IpFamily family) => family == IpFamily.IPv4 ? 16u : 28u;

    /// <summary>What it says; false when it is of neither family.</summary>
    public bool TryRead(out IpEndpoint endpoint)
    {
        endpoint = default;
        var isIPv4 = Family == AF_INET;
        if (!isIPv4 && Family != AF_INET6) return false;
        endpoint = new IpEndpoint(IpAddr.FromBytes(isIPv4 ? BytesV4 : BytesV6), ntohs(_v4.sin_port));
        return true;
    }
}
