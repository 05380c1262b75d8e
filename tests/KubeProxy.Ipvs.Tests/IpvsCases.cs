using KubeProxy.Core.Model;

namespace KubeProxy.Ipvs.Tests;

/// <summary>Services and destinations of every kind. Compiled into the kernel tests too.</summary>
public static class IpvsCases
{
    public static VirtualServiceKey Tcp { get; } = new(IpAddr.Parse("10.96.0.10"), Protocol.Tcp, 80);

    public static VirtualServiceKey Udp6 { get; } = new(IpAddr.Parse("fd00:10:96::10"), Protocol.Udp, 53);

    public static IReadOnlyList<string> Schedulers { get; } =
        ["rr", "wrr", "lc", "wlc", "fo", "ovf", "lblc", "lblcr", "dh", "sh", "mh", "sed", "nq", "twos"];

    /// <summary>A service with a scheduler.</summary>
    public static VirtualService Service(VirtualServiceKey key, string scheduler = "rr") => new() { Key = key, Scheduler = scheduler };

    /// <summary>A destination of weight 1.</summary>
    public static Destination Destination(string address, ushort port = 8080) => new() { Endpoint = new IpEndpoint(IpAddr.Parse(address), port) };

    /// <summary>Services that differ in everything that a service has.</summary>
    public static IReadOnlyList<VirtualService> Services()
    {
        List<VirtualService> services =
        [
            Service(new VirtualServiceKey(IpAddr.Parse("10.96.1.1"), Protocol.Udp, 53)) with { Flags = VirtualServiceFlags.OnePacket },
            Service(new VirtualServiceKey(IpAddr.Parse("10.96.1.2"), Protocol.Sctp, 9999), "wlc"),
            Service(new VirtualServiceKey(IpAddr.Parse("fd00:10:96::2"), Protocol.Sctp, 9999), "wlc"),
            Service(new VirtualServiceKey(IpAddr.Parse("10.96.1.3"), Protocol.Tcp, 443), "sh")
                with { Flags = VirtualServiceFlags.Fallback | VirtualServiceFlags.HashPort },
            Service(new VirtualServiceKey(IpAddr.Parse("fd00:10:96::3"), Protocol.Tcp, 443), "mh")
                with { Flags = VirtualServiceFlags.HashPort, Persistence = TimeSpan.FromSeconds(1) },
            Service(new VirtualServiceKey(IpAddr.Parse("10.96.1.4"), Protocol.Tcp, 80)) with { Persistence = TimeSpan.FromSeconds(10_800) },
            Service(new VirtualServiceKey(IpAddr.Parse("10.96.1.5"), Protocol.Tcp, 80))
                with { Persistence = TimeSpan.FromSeconds(86_400), PersistencePrefixLength = 24 },
            Service(new VirtualServiceKey(IpAddr.Parse("fd00:10:96::5"), Protocol.Tcp, 80))
                with { Persistence = TimeSpan.FromSeconds(360), PersistencePrefixLength = 64 },
            Service(new VirtualServiceKey(IpAddr.Parse("10.96.1.6"), Protocol.Tcp, 0)) with { Persistence = TimeSpan.FromSeconds(300) },
            Service(new VirtualServiceKey(IpFamily.IPv4, 1), "wrr"),
            Service(new VirtualServiceKey(IpFamily.IPv6, int.MaxValue), "wrr") with { Persistence = TimeSpan.FromSeconds(50) },
        ];
        foreach (var (index, scheduler) in Schedulers.Index())
        {
            services.Add(Service(new VirtualServiceKey(IpAddr.Parse($"10.96.2.{index + 1}"), Protocol.Tcp, 80), scheduler));
            services.Add(Service(new VirtualServiceKey(IpAddr.Parse($"fd00:10:96::2:{index + 1}"), Protocol.Udp, 80), scheduler));
        }

        return services;
    }

    /// <summary>
    /// Destinations of a service of the family, with port 80, that differ in everything that a destination has. Those that get
    /// packets with the service's port have the same one, as ipvsadm wants it.
    /// </summary>
    public static IReadOnlyList<Destination> Destinations(IpFamily family)
    {
        var network = family == IpFamily.IPv4 ? "10.244.0." : "fd00:10:244::";
        return
        [
            Destination(network + "1"),
            Destination(network + "1", 8081) with { Weight = 0 },
            Destination(network + "2", 80) with { Weight = 65_535, Method = ForwardingMethod.DirectRoute },
            Destination(network + "3") with { UpperThreshold = 1000, LowerThreshold = 500 },
            Destination(network + "4") with { UpperThreshold = int.MaxValue },
            Destination(network + "5", 80) with { Method = ForwardingMethod.Tunnel },
            Destination(network + "6", 80) with
            {
                Method = ForwardingMethod.Tunnel, Tunnel = new DestinationTunnel(TunnelKind.Gue, 6080, TunnelFlags.Checksum),
            },
            Destination(network + "7", 80) with
            {
                Method = ForwardingMethod.Tunnel, Tunnel = new DestinationTunnel(TunnelKind.Gue, 6080, TunnelFlags.RemoteChecksum),
            },
            Destination(network + "8", 80) with
            {
                Method = ForwardingMethod.Tunnel, Tunnel = new DestinationTunnel(TunnelKind.Gre, Flags: TunnelFlags.Checksum),
            },
            // Only tunnels lead into the other family.
            Destination(family == IpFamily.IPv4 ? "fd00:10:244::9" : "10.244.0.9", 80) with { Method = ForwardingMethod.Tunnel },
        ];
    }
}
