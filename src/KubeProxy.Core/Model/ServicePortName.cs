namespace KubeProxy.Core.Model;

/// <summary>The identity of one port of one Service: the unit that the proxy plans, programs and reports.</summary>
/// <param name="Service">The Service.</param>
/// <param name="PortName"><c>spec.ports[].name</c>; empty for an unnamed port.</param>
/// <param name="Protocol"><c>spec.ports[].protocol</c>.</param>
public readonly record struct ServicePortName(NamespacedName Service, string PortName, Protocol Protocol) : IComparable<ServicePortName>
{
    /// <inheritdoc/>
    public int CompareTo(ServicePortName other)
    {
        var byService = Service.CompareTo(other.Service);
        if (byService != 0) return byService;
        var byPort = string.CompareOrdinal(PortName, other.PortName);
        return byPort != 0 ? byPort : Protocol.CompareTo(other.Protocol);
    }

    /// <summary><c>namespace/name:port</c>, or <c>namespace/name</c> for an unnamed port, as upstream shows it.</summary>
    public override string ToString() => PortName.Length == 0 ? Service.ToString() : string.Concat([Service.Namespace, Service.Namespace.Length == 0 ? "" : "/", Service.Name, ":", PortName]);

    /// <summary>Orders by service, port name, protocol.</summary>
    public static bool operator <(ServicePortName left, ServicePortName right) => left.CompareTo(right) < 0;

    /// <inheritdoc cref="op_LessThan"/>
    public static bool operator <=(ServicePortName left, ServicePortName right) => left.CompareTo(right) <= 0;

    /// <inheritdoc cref="op_LessThan"/>
    public static bool operator >(ServicePortName left, ServicePortName right) => left.CompareTo(right) > 0;

    /// <inheritdoc cref="op_LessThan"/>
    public static bool operator >=(ServicePortName left, ServicePortName right) => left.CompareTo(right) >= 0;
}
