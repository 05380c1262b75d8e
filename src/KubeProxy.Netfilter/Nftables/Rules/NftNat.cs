namespace KubeProxy.Netfilter.Nftables.Rules;

/// <summary>What <see cref="NftNat"/> translates.</summary>
public enum NftNatKind
{
    /// <summary>The source.</summary>
    Snat,

    /// <summary>The destination.</summary>
    Dnat,

    /// <summary>The source, to the address of the output interface.</summary>
    Masquerade,

    /// <summary>The destination, to this host.</summary>
    Redirect,
}

/// <summary>How the new address and port are chosen (<c>NF_NAT_RANGE_*</c>).</summary>
[Flags]
public enum NftNatFlags : uint
{
    /// <summary>In order.</summary>
    None = 0,

    /// <summary><c>random</c>: the port by a hash with a random seed.</summary>
    Random = 0x4, // NF_NAT_RANGE_PROTO_RANDOM

    /// <summary><c>persistent</c>: each client always the same address.</summary>
    Persistent = 0x8, // NF_NAT_RANGE_PERSISTENT

    /// <summary><c>fully-random</c>: the port at random.</summary>
    FullyRandom = 0x10, // NF_NAT_RANGE_PROTO_RANDOM_FULLY

    /// <summary><c>prefix</c>: the network is replaced, the host stays.</summary>
    Netmap = 0x40, // NF_NAT_RANGE_NETMAP
}

/// <summary>Translates addresses and ports: <c>dnat ip to 10.0.0.1:80</c>, <c>snat to ...</c>, <c>masquerade random</c>, <c>redirect to :8080</c>.</summary>
/// <param name="Kind">What is translated.</param>
/// <param name="Family">The family of the addresses; null for <see cref="NftNatKind.Masquerade"/>, <see cref="NftNatKind.Redirect"/>, and ports alone.</param>
public sealed record NftNat(NftNatKind Kind, NftFamily? Family = null) : NftStatement
{
    /// <summary>The address, the first of several, or a map that has them; null for none.</summary>
    public NftExpression? Address { get; init; }

    /// <summary>The last address; null for one, or where the map has it.</summary>
    public NftExpression? AddressTo { get; init; }

    /// <summary>The port or the first of several; null for none, or where the map has it.</summary>
    public NftExpression? Port { get; init; }

    /// <summary>The last port; null for one.</summary>
    public NftExpression? PortTo { get; init; }

    /// <summary>What the map in <see cref="Address"/> yields: address, port, last address, last port, in this order, each or not.</summary>
    public NftNatMapParts MapParts { get; init; }

    /// <summary>How they are chosen.</summary>
    public NftNatFlags Flags { get; init; }

    /// <summary>Translates the destination to what <paramref name="target"/> yields: <c>dnat ip to ... map @endpoints</c>, or to a constant.</summary>
    /// <param name="target">A map lookup or a constant address.</param>
    /// <param name="port">A constant port (host order) beside a constant address; null for none.</param>
    /// <param name="targetHasPort">With a map: its data is an address and a port.</param>
    /// <param name="isIPv6">The family of the address.</param>
    public static NftNat Dnat(NftExpression target, ushort? port, bool targetHasPort, bool isIPv6) =>
        new(NftNatKind.Dnat, isIPv6 ? NftFamily.Ip6 : NftFamily.Ip)
        {
            Address = target,
            Port = port is { } number ? new NftConstant(NftDataType.InetService, NftValue.Port(number)) : null,
            MapParts = targetHasPort ? NftNatMapParts.Port : NftNatMapParts.None,
        };

    /// <summary>Translates the source to the address of the output interface: <c>masquerade</c>.</summary>
    public static NftNat Masquerade(NftNatFlags flags = NftNatFlags.None) => new(NftNatKind.Masquerade) { Flags = flags };

    /// <summary>Redirects to a port of this host: <c>redirect to :8080</c>, or to what a map yields.</summary>
    /// <param name="port">A constant port or a map lookup that yields one.</param>
    public static NftNat Redirect(NftExpression port) => new(NftNatKind.Redirect) { Port = port };
}

/// <summary>What a map yields besides an address.</summary>
[Flags]
public enum NftNatMapParts
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>The last address: the data are ranges.</summary>
    AddressTo = 1,

    /// <summary>A port.</summary>
    Port = 2,

    /// <summary>The last port.</summary>
    PortTo = 4,
}
