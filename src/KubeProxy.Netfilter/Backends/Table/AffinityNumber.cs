using KubeProxy.Core.Model;

namespace KubeProxy.Netfilter.Backends.Table;

/// <summary>
/// The numbers of service ports with session affinity and of their endpoints. While rules look for the endpoint of a client, numbers stand in
/// the addresses of the packet, and so they are written as addresses: <c>0.0.0.1</c>, <c>::1</c>. Connection tracking
/// knows what the packet's own addresses are.
/// </summary>
internal static class AffinityNumber
{
    /// <summary>The smallest.</summary>
    public const uint First = 1;

    /// <summary>The largest: what follows is not in 0.0.0.0/8 any more.</summary>
    public const uint Last = 0xFFFFFF;

    /// <summary>The number as an address of the family.</summary>
    public static IpAddr ToAddress(IpFamily family, uint number) => IpAddr.FromValue(family, number);

    /// <summary>False when the address is no number.</summary>
    public static bool TryRead(IpAddr address, out uint number)
    {
        number = (uint)address.Value;
        return address.Value <= Last;
    }
}
