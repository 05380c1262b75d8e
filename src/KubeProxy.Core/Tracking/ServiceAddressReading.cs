using System.Collections.Immutable;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;

namespace KubeProxy.Core.Tracking;

/// <summary>Sorts the addresses of a Service by family.</summary>
internal static class ServiceAddressReading
{
    public static (ServiceAddresses? IPv4, ServiceAddresses? IPv6) Read(
        Service service, string clusterIP, bool allowExternalIPs, ProblemList problems)
    {
        var (v4, v6) = ClusterIPsOf(service.Spec, clusterIP, problems);
        if (v4 is null && v6 is null) return default;
        var external = allowExternalIPs ? ExternalIPsOf(service.Spec, problems) : [];
        var loadBalancer = LoadBalancerIPsOf(service.Status, problems);
        var ranges = SourceRangesOf(service.Spec, problems, out var unreadable);
        return (Build(v4, IpFamily.IPv4), Build(v6, IpFamily.IPv6));

        ServiceAddresses? Build(IpAddr? cluster, IpFamily family)
        {
            if (cluster is not { } address) return null;
            var ofFamily = ranges.Where(range => range.Family == family).ToList();
            var isOpen = ofFamily.Any(range => range.PrefixLength == 0);
            return new ServiceAddresses
            {
                ClusterIP = address,
                ExternalIPs = [.. external.Where(ip => ip.Family == family)],
                LoadBalancerIPs = [.. loadBalancer.Where(ip => ip.Family == family)],
                SourceBlocks = isOpen ? [] : [.. ofFamily],
                SourceRanges = isOpen ? [] : IpRanges.Normalize(ofFamily.Select(IpRange.From)),
                SourcesUnreadable = unreadable && ofFamily.Count == 0,
            };
        }
    }

    /// <summary>
    /// With ipFamilies: the address at the same place in clusterIPs. Without (an object that no API server has completed):
    /// clusterIP, and of clusterIPs the first of the other family.
    /// </summary>
    private static (IpAddr? IPv4, IpAddr? IPv6) ClusterIPsOf(ServiceSpec spec, string clusterIP, ProblemList problems)
    {
        var result = (IPv4: (IpAddr?)null, IPv6: (IpAddr?)null);
        if (spec.IPFamilies.Count == 0 || spec.ClusterIPs.Count == 0)
        {
            Add("spec.clusterIP", clusterIP, null);
            for (var i = 0; i < spec.ClusterIPs.Count; i++)
            {
                if (spec.ClusterIPs[i] != clusterIP) Add($"spec.clusterIPs[{i}]", spec.ClusterIPs[i], null);
            }

            return result;
        }

        for (var i = 0; i < spec.IPFamilies.Count && i < spec.ClusterIPs.Count; i++)
            Add($"spec.clusterIPs[{i}]", spec.ClusterIPs[i], spec.IPFamilies[i]);
        return result;

        void Add(string field, string text, string? family)
        {
            if (!AddressRules.TryParseUsable(text, out var address, out var reason))
                problems.Add(field, $"{reason}; it is left out");
            else if (family is not null && family != address.Family.ToString())
                problems.Add(field, $"{address} is not of family {family}; it is left out");
            else if (address.Family == IpFamily.IPv4)
                result.IPv4 ??= address;
            else
                result.IPv6 ??= address;
        }
    }

    private static List<IpAddr> ExternalIPsOf(ServiceSpec spec, ProblemList problems)
    {
        var result = new List<IpAddr>();
        for (var i = 0; i < spec.ExternalIPs.Count; i++) AddTo(result, spec.ExternalIPs[i], $"spec.externalIPs[{i}]", problems);
        return result;
    }

    private static List<IpAddr> LoadBalancerIPsOf(ServiceStatus status, ProblemList problems)
    {
        var result = new List<IpAddr>();
        var ingress = status.LoadBalancer?.Ingress ?? [];
        for (var i = 0; i < ingress.Count; i++)
        {
            if (string.IsNullOrEmpty(ingress[i].IPMode) || ingress[i].IPMode == "VIP")
                AddTo(result, ingress[i].IP, $"status.loadBalancer.ingress[{i}].ip", problems);
            else if (ingress[i].IPMode != "Proxy")
                problems.Add($"status.loadBalancer.ingress[{i}].ipMode", $"unknown value '{ingress[i].IPMode}'; the address is left out");
        }

        return result;
    }

    private static void AddTo(List<IpAddr> result, string? text, string field, ProblemList problems)
    {
        if (string.IsNullOrWhiteSpace(text)) return;
        if (!AddressRules.TryParseUsable(text, out var address, out var reason)) problems.Add(field, $"{reason}; it is left out");
        else if (!result.Contains(address)) result.Add(address);
    }

    private static List<Cidr> SourceRangesOf(ServiceSpec spec, ProblemList problems, out bool unreadable)
    {
        var result = new List<Cidr>();
        unreadable = false;
        for (var i = 0; i < spec.LoadBalancerSourceRanges.Count; i++)
        {
            var text = spec.LoadBalancerSourceRanges[i].Trim();
            if (text.Length == 0) continue;
            if (Cidr.TryParse(text, out var range))
            {
                result.Add(range);
                continue;
            }

            unreadable = true;
            problems.Add($"spec.loadBalancerSourceRanges[{i}]",
                $"'{text}' is not a CIDR block; it is left out, and a family without any other block is closed");
        }

        return result;
    }
}
