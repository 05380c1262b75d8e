namespace KubeProxy.Core.Model;

/// <summary>An IP address and port: the target of a translation.</summary>
/// <param name="Address">The address.</param>
/// <param name="Port">The port, 1 to 65535.</param>
public readonly record struct IpEndpoint(IpAddr Address, ushort Port) : IComparable<IpEndpoint>
{
    /// <inheritdoc/>
    public int CompareTo(IpEndpoint other)
    {
        var byAddress = Address.CompareTo(other.Address);
        return byAddress != 0 ? byAddress : Port.CompareTo(other.Port);
    }

    /// <summary><c>10.0.0.1:80</c> or <c>[fd00::1]:80</c>.</summary>
    public override string ToString() => Address.Family == IpFamily.IPv4 ? $"{Address}:{Port}" : $"[{Address}]:{Port}";

    /// <summary>Orders by address, then port.</summary>
    public static bool operator <(IpEndpoint left, IpEndpoint right) => left.CompareTo(right) < 0;

    /// <inheritdoc cref="op_LessThan"/>
    public static bool operator <=(IpEndpoint left, IpEndpoint right) => left.CompareTo(right) <= 0;

    /// <inheritdoc cref="op_LessThan"/>
    public static bool operator >(IpEndpoint left, IpEndpoint right) => left.CompareTo(right) > 0;

    /// <inheritdoc cref="op_LessThan"/>
    public static bool operator >=(IpEndpoint left, IpEndpoint right) => left.CompareTo(right) >= 0;
}
