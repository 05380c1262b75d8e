using System.Globalization;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;

namespace KubeProxy.Core.Tracking;

/// <summary>Turns an EndpointSlice object into what is used of it.</summary>
internal static class SliceReading
{
    /// <summary>Reads a slice; null when it is of no use: headless, FQDN, of no Service.</summary>
    public static TrackedSlice? Read(EndpointSlice slice, string nodeName, ProblemList problems)
    {
        if (slice.Metadata.HasLabel(WellKnownNames.HeadlessLabel)) return null;
        var service = slice.Metadata.Label(WellKnownNames.ServiceNameLabel);
        if (string.IsNullOrEmpty(service))
        {
            problems.Add($"metadata.labels[{WellKnownNames.ServiceNameLabel}]", "missing; the slice belongs to no Service");
            return null;
        }

        if (FamilyOf(slice, problems) is not { } family) return null;
        var name = problems.Name;
        return new TrackedSlice(name, new NamespacedName(name.Namespace, service), family,
            ReadPorts(slice, problems), ReadEndpoints(slice, family, nodeName, problems));
    }

    private static IpFamily? FamilyOf(EndpointSlice slice, ProblemList problems)
    {
        switch (slice.AddressType)
        {
            case "IPv4": return IpFamily.IPv4;
            case "IPv6": return IpFamily.IPv6;
            case "FQDN": return null;
            default:
                problems.Add("addressType", $"'{slice.AddressType}' is neither IPv4, IPv6 nor FQDN; the slice is left out");
                return null;
        }
    }

    private static SlicePort[] ReadPorts(EndpointSlice slice, ProblemList problems)
    {
        var result = new List<SlicePort>(slice.Ports.Count);
        var seen = new HashSet<(string, Protocol)>();
        for (var i = 0; i < slice.Ports.Count; i++)
        {
            var port = slice.Ports[i];
            if (!AddressRules.TryGetProtocol(port.Protocol, out var protocol))
                problems.Add($"ports[{i}].protocol", $"unknown protocol '{port.Protocol}'; the port is left out");
            else if (!AddressRules.TryGetPort(port.Port, out var number))
                problems.Add($"ports[{i}].port", port.Port is { } wrong
                    ? string.Create(CultureInfo.InvariantCulture, $"{wrong} is not between 1 and 65535; the port is left out")
                    : "missing, which means all ports, and no Service can lead to these; the port is left out: give it a number");
            else if (seen.Add((port.Name ?? "", protocol)))
                result.Add(new SlicePort(port.Name ?? "", protocol, number));
            else
                problems.Add($"ports[{i}].name", $"another {protocol.ToLowerName()} port has the name '{port.Name}'; the first one counts");
        }

        return [.. result];
    }

    private static SliceEndpoint[] ReadEndpoints(EndpointSlice slice, IpFamily family, string nodeName, ProblemList problems)
    {
        var result = new List<SliceEndpoint>(slice.Endpoints.Count);
        string? lastHints = null;
        for (var i = 0; i < slice.Endpoints.Count; i++)
        {
            var endpoint = slice.Endpoints[i];
            if (!TryGetAddress(endpoint, family, out var address, out var reason))
            {
                problems.Add($"endpoints[{i}].addresses", $"{reason}; the endpoint is left out");
                continue;
            }

            if (endpoint.Addresses.Count > 1)
                problems.Add($"endpoints[{i}].addresses[1]", $"only the first address ({address}) is used, and the others are left out: give each an endpoint of its own");
            lastHints = JoinZones(endpoint.Hints?.ForZones ?? [], lastHints);
            result.Add(new SliceEndpoint(address, FlagsOf(endpoint, nodeName), lastHints));
        }

        return [.. result];
    }

    /// <summary>Only the first address counts: the API says that they are fungible and nobody has ever written more.</summary>
    private static bool TryGetAddress(Endpoint endpoint, IpFamily family, out IpAddr address, out string reason)
    {
        address = default;
        reason = "no address";
        if (endpoint.Addresses.Count == 0 || !AddressRules.TryParseUsable(endpoint.Addresses[0], out address, out reason)) return false;
        if (address.Family == family) return true;
        reason = $"{address} is not of family {family}";
        return false;
    }

    private static EndpointFlags FlagsOf(Endpoint endpoint, string nodeName)
    {
        var flags = EndpointFlags.None;
        if (endpoint.Conditions?.Ready ?? true) flags |= EndpointFlags.Ready;
        if (endpoint.Conditions?.Serving ?? true) flags |= EndpointFlags.Serving;
        if (endpoint.Conditions?.Terminating ?? false) flags |= EndpointFlags.Terminating;
        if (nodeName.Length > 0 && endpoint.NodeName == nodeName) flags |= EndpointFlags.Local;
        if (MayBeHere(endpoint.NodeName, nodeName)) flags |= EndpointFlags.MaybeLocal;
        foreach (var hint in endpoint.Hints?.ForNodes ?? [])
        {
            flags |= EndpointFlags.NodeHinted;
            if (hint.Name == nodeName) flags |= EndpointFlags.HintedToThisNode;
        }

        return flags;
    }

    // Who wrote the slice by hand may have left the node out, or written its name in another way: with its domain, in capitals.
    private static bool MayBeHere(string? given, string nodeName) =>
        string.IsNullOrEmpty(given) || string.Equals(FirstLabel(given), FirstLabel(nodeName), StringComparison.OrdinalIgnoreCase);

    private static string FirstLabel(string name) => name.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot ? name[..dot] : name;

    /// <summary>The zones as one string, shared with the endpoint before, which mostly has the same.</summary>
    private static string? JoinZones(IReadOnlyList<TopologyHint> zones, string? previous)
    {
        if (zones.Count == 0) return null;
        if (zones.Count == 1) return zones[0].Name == previous ? previous : zones[0].Name ?? "";
        var joined = string.Join(EndpointState.ZoneSeparator, zones.Select(zone => zone.Name));
        return joined == previous ? previous : joined;
    }
}
