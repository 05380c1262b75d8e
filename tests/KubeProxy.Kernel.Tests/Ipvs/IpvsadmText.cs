using KubeProxy.Core.Model;
using KubeProxy.Ipvs;

namespace KubeProxy.Kernel.Tests.Ipvs;

/// <summary>The model as ipvsadm 1.31 prints it.</summary>
internal static class IpvsadmText
{
    /// <summary>A line of <c>ipvsadm -Sn</c>, which <c>ipvsadm -R</c> takes.</summary>
    public static string Saved(VirtualService service)
    {
        var line = $"-A {SavedName(service.Key)} -s {service.Scheduler}";
        if (service.Persistence is { } timeout) line += $" -p {timeout.TotalSeconds}";
        if (service.PersistencePrefixLength is { } length) line += $" -M {Mask(service.Key.Family, length)}";
        if (service.Flags.HasFlag(VirtualServiceFlags.OnePacket)) line += " -o";
        if (SchedulerFlags(service) is { Length: > 0 } flags) line += $" -b {flags}";
        return line;
    }

    /// <inheritdoc cref="Saved(VirtualService)"/>
    public static string Saved(VirtualServiceKey key, Destination destination)
    {
        var line = $"-a {SavedName(key)} -r {destination.Endpoint} -{Letter(destination.Method)} -w {destination.Weight}";
        if (destination.Method != ForwardingMethod.Tunnel) return line;
        var tunnel = destination.Tunnel ?? new DestinationTunnel(TunnelKind.Ipip);
        line += $" --tun-type {tunnel.Kind.ToString().ToLowerInvariant()}";
        if (tunnel.Kind == TunnelKind.Gue) line += $" --tun-port {tunnel.Port}";
        if (tunnel.Flags.HasFlag(TunnelFlags.Checksum)) line += " --tun-csum";
        if (tunnel.Flags.HasFlag(TunnelFlags.RemoteChecksum)) line += " --tun-remcsum";
        return line;
    }

    /// <summary>The line of <c>ipvsadm -Ln</c>, with single spaces.</summary>
    public static string Listed(VirtualService service)
    {
        var line = $"{Listed(service.Key)} {service.Scheduler}";
        if (SchedulerFlags(service) is { Length: > 0 } flags) line += $" ({flags})";
        if (service.Persistence is { } timeout) line += $" persistent {timeout.TotalSeconds}";
        if (service.PersistencePrefixLength is { } length) line += $" mask {Mask(service.Key.Family, length)}";
        if (service.Flags.HasFlag(VirtualServiceFlags.OnePacket)) line += " ops";
        return line;
    }

    /// <inheritdoc cref="Listed(VirtualService)"/>
    public static string Listed(Destination destination) => $"-> {destination.Endpoint} {Name(destination.Method)} {destination.Weight} 0 0";

    /// <summary>The line of <c>ipvsadm -Ln --thresholds</c>, with single spaces.</summary>
    public static string ListedThresholds(Destination destination) =>
        $"-> {destination.Endpoint} {destination.UpperThreshold} {destination.LowerThreshold} 0 0";

    private static string SavedName(VirtualServiceKey key) => key switch
    {
        { Address: null, Family: IpFamily.IPv4 } => $"-f {key.FirewallMark}",
        { Address: null } => $"-f {key.FirewallMark} -6",
        { Protocol: Protocol.Tcp } => $"-t {new IpEndpoint(key.Address.Value, key.Port)}",
        { Protocol: Protocol.Udp } => $"-u {new IpEndpoint(key.Address.Value, key.Port)}",
        _ => $"--sctp-service {new IpEndpoint(key.Address.Value, key.Port)}",
    };

    private static string Listed(VirtualServiceKey key) => key.Address is { } address
        ? $"{key.Protocol.ToLowerName().ToUpperInvariant()} {new IpEndpoint(address, key.Port)}"
        : $"FWM {key.FirewallMark}{(key.Family == IpFamily.IPv6 ? " IPv6" : "")}";

    private static string SchedulerFlags(VirtualService service)
    {
        var (fallback, port) = service.Scheduler is "sh" or "mh" ? ($"{service.Scheduler}-fallback", $"{service.Scheduler}-port") : ("flag-1", "flag-2");
        List<string> names = [];
        if (service.Flags.HasFlag(VirtualServiceFlags.Fallback)) names.Add(fallback);
        if (service.Flags.HasFlag(VirtualServiceFlags.HashPort)) names.Add(port);
        if (service.Flags.HasFlag(VirtualServiceFlags.Scheduler3)) names.Add("flag-3");
        return string.Join(',', names);
    }

    private static string Mask(IpFamily family, int length) =>
        family == IpFamily.IPv6 ? $"{length}" : IpAddr.FromValue(IpFamily.IPv4, uint.MaxValue << (32 - length)).ToString();

    private static char Letter(ForwardingMethod method) => method switch
    {
        ForwardingMethod.Masquerade => 'm', ForwardingMethod.DirectRoute => 'g', ForwardingMethod.Tunnel => 'i',
        _ => throw new ArgumentException($"ipvsadm does not know {method}.", nameof(method)),
    };

    private static string Name(ForwardingMethod method) => method switch
    {
        ForwardingMethod.Masquerade => "Masq", ForwardingMethod.DirectRoute => "Route", _ => $"{method}",
    };
}
