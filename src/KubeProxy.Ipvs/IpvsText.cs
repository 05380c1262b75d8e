using System.Globalization;
using KubeProxy.Core.Model;

namespace KubeProxy.Ipvs;

/// <summary>Operations as arguments of <c>ipvsadm</c>, one line each: those that add are what <c>ipvsadm -S -n</c> prints and <c>ipvsadm -R</c> loads.</summary>
public static class IpvsText
{
    /// <summary>The line, for example <c>-a -t 10.96.0.10:80 -r 10.244.1.5:8080 -m -w 1</c>.</summary>
    public static string Of(IpvsOperation operation)
    {
        ArgumentNullException.ThrowIfNull(operation);
        var service = Service(operation.Service);
        return operation switch
        {
            IpvsOperation.AddService add => $"-A {service}{Properties(add.Value)}",
            IpvsOperation.SetService set => $"-E {service}{Properties(set.Value)}",
            IpvsOperation.DeleteService => $"-D {service}",
            IpvsOperation.AddDestination add => $"-a {service}{Properties(add.Value)}",
            IpvsOperation.SetDestination set => $"-e {service}{Properties(set.Value)}",
            IpvsOperation.DeleteDestination delete => $"-d {service} -r {delete.Endpoint}",
            _ => operation.ToString(),
        };
    }

    private static string Service(VirtualServiceKey key)
    {
        if (key.Address is not { } address) return $"-f {key.FirewallMark}{(key.Family == IpFamily.IPv6 ? " -6" : "")}";
        var protocol = key.Protocol switch { Protocol.Udp => "-u", Protocol.Sctp => "--sctp-service", _ => "-t" };
        return $"{protocol} {new IpEndpoint(address, key.Port)}";
    }

    private static string Properties(VirtualService service)
    {
        var persistence = service.Persistence is { } timeout ? string.Create(CultureInfo.InvariantCulture, $" -p {timeout.TotalSeconds:0}") : "";
        var onePacket = service.Flags.HasFlag(VirtualServiceFlags.OnePacket) ? " -o" : "";
        var flags = string.Join(',', Flags(service));
        return $" -s {service.Scheduler}{persistence}{onePacket}{(flags.Length > 0 ? " -b " + flags : "")}";
    }

    private static IEnumerable<string> Flags(VirtualService service)
    {
        var prefix = service.Scheduler is SchedulerNames.SourceHashing or SchedulerNames.MaglevHashing ? service.Scheduler : null;
        if (service.Flags.HasFlag(VirtualServiceFlags.Fallback)) yield return prefix is null ? "flag-1" : prefix + "-fallback";
        if (service.Flags.HasFlag(VirtualServiceFlags.HashPort)) yield return prefix is null ? "flag-2" : prefix + "-port";
        if (service.Flags.HasFlag(VirtualServiceFlags.Scheduler3)) yield return "flag-3";
    }

    private static string Properties(Destination destination)
    {
        var method = destination.Method switch { ForwardingMethod.DirectRoute => "-g", ForwardingMethod.Tunnel => "-i", _ => "-m" };
        var upper = destination.UpperThreshold > 0 ? $" -x {destination.UpperThreshold}" : "";
        var lower = destination.LowerThreshold > 0 ? $" -y {destination.LowerThreshold}" : "";
        return $" -r {destination.Endpoint} {method} -w {destination.Weight}{upper}{lower}";
    }
}
