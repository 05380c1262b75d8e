using System.Globalization;
using System.Net;

namespace KubeProxy.Kubernetes.Access;

/// <summary>
/// Which proxy the environment asks for, by the rules that programs in Go have, as upstream: unlike those of .NET they know
/// blocks of addresses in <c>NO_PROXY</c>, with which clusters are usually left out.
/// </summary>
internal static class EnvironmentProxy
{
    /// <summary>The proxy for a server; null for none.</summary>
    /// <exception cref="ApiAccessException">The variable holds no address.</exception>
    public static Uri? For(Uri server, Func<string, string?> environment)
    {
        var variable = server.Scheme == "https" ? "HTTPS_PROXY" : "HTTP_PROXY";
        if (Read(environment, variable) is not { Length: > 0 } text || IsExcluded(server, Read(environment, "NO_PROXY") ?? ""))
            return null;
        var full = text.Contains("://", StringComparison.Ordinal) ? text : "http://" + text;
        return Uri.TryCreate(full, UriKind.Absolute, out var proxy) && proxy.Scheme is ("http" or "https" or "socks5")
            ? proxy
            : throw new ApiAccessException(variable, "", $"\"{text}\" is not an http, https or socks5 address");
    }

    private static string? Read(Func<string, string?> environment, string name) =>
        environment(name) is { Length: > 0 } value ? value : environment(name.ToLowerInvariant());

    private static bool IsExcluded(Uri server, string noProxy)
    {
        var host = server.DnsSafeHost.TrimEnd('.').ToLowerInvariant();
        _ = IPAddress.TryParse(host, out var address);
        if (host == "localhost" || (address is not null && IPAddress.IsLoopback(address))) return true;
        return noProxy.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Any(rule => Matches(rule.ToLowerInvariant(), host, address, server.Port));
    }

    private static bool Matches(string rule, string host, IPAddress? address, int port)
    {
        if (rule == "*") return true;
        if (rule.Contains('/', StringComparison.Ordinal))
            return address is not null && IPNetwork.TryParse(rule, out var block) && block.Contains(address);
        if (IPAddress.TryParse(rule, out var single)) return single.Equals(address);
        var colon = rule.LastIndexOf(':');
        if (colon >= 0)
        {
            if (!int.TryParse(rule.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var wanted)
                || wanted != port)
                return false;
            rule = rule[..colon].Trim('[', ']');
            if (IPAddress.TryParse(rule, out single)) return single.Equals(address);
        }

        if (rule.StartsWith("*.", StringComparison.Ordinal)) rule = rule[1..];
        if (rule.StartsWith('.')) return host.EndsWith(rule, StringComparison.Ordinal);
        return host == rule || host.EndsWith("." + rule, StringComparison.Ordinal);
    }
}
