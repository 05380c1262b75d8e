using System.Collections.Immutable;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;

namespace KubeProxy.Core.Tracking;

/// <summary>Why a Service is not proxied.</summary>
internal enum NotProxied : byte
{
    OtherProxy,
    ExternalName,
    Headless,
    NoClusterIP,
    Unusable,
}

/// <summary>Turns a Service object into what is used of it.</summary>
internal static class ServiceReading
{
    private const int DefaultAffinitySeconds = 10_800;

    /// <summary>Reads a Service; null when there is nothing to proxy: another proxy's, headless, ExternalName, no address.</summary>
    public static ServiceDefinition? Read(Service service, bool allowExternalIPs, IReadOnlyDictionary<Protocol, string> unservedProtocols, ProblemList problems)
    {
        if (WhyNot(service) is not null || ClusterIPOf(service.Spec) is not { } clusterIP) return null;
        var spec = service.Spec;
        if (!HasUsableName(service, problems)) return null;
        CheckWords(spec, problems);
        var addresses = ServiceAddressReading.Read(service, clusterIP, allowExternalIPs, problems);
        if (addresses is (null, null)) return null;
        var externalLocal = spec.ExternalTrafficPolicy == "Local"
            && (spec.Type is "LoadBalancer" or "NodePort" || spec.ExternalIPs.Count > 0);
        return new ServiceDefinition
        {
            Name = problems.Name,
            CreatedAt = service.Metadata.CreationTimestamp ?? DateTimeOffset.MaxValue,
            Ports = ReadPorts(spec, unservedProtocols, problems),
            IPv4 = addresses.IPv4,
            IPv6 = addresses.IPv6,
            InternalLocal = spec.InternalTrafficPolicy == "Local",
            ExternalLocal = externalLocal,
            AffinityTimeout = ReadAffinity(spec, problems),
            Scheduler = ReadScheduler(service, problems),
            HealthCheckNodePort = externalLocal && spec.Type == "LoadBalancer" ? ReadHealthCheckPort(spec, problems) : (ushort)0,
        };
    }

    /// <summary>Why there is nothing to proxy, whatever else is in it; null when there is.</summary>
    public static NotProxied? WhyNot(Service service) =>
        service.Metadata.HasLabel(WellKnownNames.ServiceProxyNameLabel) ? NotProxied.OtherProxy
        : service.Spec.Type == "ExternalName" ? NotProxied.ExternalName
        : ClusterIPOf(service.Spec) switch { null or "" => NotProxied.NoClusterIP, "None" => NotProxied.Headless, _ => null };

    private static string? ClusterIPOf(ServiceSpec spec) =>
        string.IsNullOrEmpty(spec.ClusterIP) ? (spec.ClusterIPs is [var first, ..] ? first : null) : spec.ClusterIP;

    private static bool HasUsableName(Service service, ProblemList problems)
    {
        var (name, space) = (NameRules.Problem(service.Metadata.Name), NameRules.Problem(service.Metadata.Namespace));
        if (name is not null) problems.Add("metadata.name", $"{name}; the Service is left out");
        if (space is not null) problems.Add("metadata.namespace", $"{space}; the Service is left out");
        return name is null && space is null;
    }

    private static void CheckWords(ServiceSpec spec, ProblemList problems)
    {
        Check("spec.type", spec.Type, "ClusterIP", ["NodePort", "LoadBalancer"]);
        Check("spec.internalTrafficPolicy", spec.InternalTrafficPolicy, "Cluster", ["Local"]);
        Check("spec.externalTrafficPolicy", spec.ExternalTrafficPolicy, "Cluster", ["Local"]);
        Check("spec.sessionAffinity", spec.SessionAffinity, "None", ["ClientIP"]);

        void Check(string field, string? value, string fallback, ReadOnlySpan<string> others)
        {
            if (string.IsNullOrEmpty(value) || value == fallback || others.Contains(value)) return;
            problems.Add(field, $"unknown value '{value}', taken as {fallback}");
        }
    }

    private static ImmutableArray<PortDefinition> ReadPorts(ServiceSpec spec, IReadOnlyDictionary<Protocol, string> unservedProtocols, ProblemList problems)
    {
        var result = ImmutableArray.CreateBuilder<PortDefinition>(spec.Ports.Count);
        var seen = new HashSet<(string, Protocol)>();
        for (var i = 0; i < spec.Ports.Count; i++)
        {
            if (ReadPort(spec.Ports[i], $"spec.ports[{i}]", problems) is not { } port) continue;
            if (unservedProtocols.TryGetValue(port.Protocol, out var reason))
                problems.Add($"spec.ports[{i}].protocol", $"{reason}; the port is left out");
            else if (seen.Add((port.Name, port.Protocol)))
                result.Add(port);
            else
                problems.Add($"spec.ports[{i}].name", $"another {port.Protocol.ToLowerName()} port is named '{port.Name}'; the first one counts");
        }

        return result.DrainToImmutable();
    }

    private static PortDefinition? ReadPort(ServicePort port, string field, ProblemList problems)
    {
        if (NameRules.Problem(port.Name) is { } name)
        {
            problems.Add($"{field}.name", $"{name}; the port is left out");
            return null;
        }

        if (!AddressRules.TryGetProtocol(port.Protocol, out var protocol))
        {
            problems.Add($"{field}.protocol", $"unknown protocol '{port.Protocol}'; the port is left out");
            return null;
        }

        if (!AddressRules.TryGetPort(port.Port, out var number))
        {
            problems.Add($"{field}.port", $"{Number(port.Port)} is not between 1 and 65535; the port is left out");
            return null;
        }

        var nodePort = (ushort)0;
        if (port.NodePort is not (null or 0) && !AddressRules.TryGetPort(port.NodePort, out nodePort))
            problems.Add($"{field}.nodePort", $"{Number(port.NodePort)} is not between 1 and 65535; there is no node port");
        return new PortDefinition(port.Name ?? "", protocol, number, nodePort);
    }

    private static TimeSpan? ReadAffinity(ServiceSpec spec, ProblemList problems)
    {
        if (spec.SessionAffinity != "ClientIP") return null;
        var seconds = spec.SessionAffinityConfig?.ClientIP?.TimeoutSeconds ?? DefaultAffinitySeconds;
        if (seconds is >= 1 and <= 86_400) return TimeSpan.FromSeconds(seconds);
        problems.Add("spec.sessionAffinityConfig.clientIP.timeoutSeconds",
            $"{Number(seconds)} is not between 1 and 86400; {DefaultAffinitySeconds} is used");
        return TimeSpan.FromSeconds(DefaultAffinitySeconds);
    }

    // Which of them the kernel has, it will say itself.
    private static string? ReadScheduler(Service service, ProblemList problems)
    {
        const int longest = 15; // IP_VS_SCHEDNAME_MAXLEN is 16, with a zero at the end
        if (service.Metadata.Annotations?.GetValueOrDefault(WellKnownNames.SchedulerAnnotation) is not { Length: > 0 } name) return null;
        if (name.Length <= longest && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_')) return name;
        problems.Add($"metadata.annotations['{WellKnownNames.SchedulerAnnotation}']", $"'{name}' is not the name of a scheduler; the configured one is used");
        return null;
    }

    private static ushort ReadHealthCheckPort(ServiceSpec spec, ProblemList problems)
    {
        if (AddressRules.TryGetPort(spec.HealthCheckNodePort, out var port)) return port;
        problems.Add("spec.healthCheckNodePort", "missing or not between 1 and 65535; load balancers cannot check this node");
        return 0;
    }

    private static string Number(int? value) =>
        value is { } number ? number.ToString(System.Globalization.CultureInfo.InvariantCulture) : "nothing";
}
