using System.Globalization;
using KubeProxy.Core.Model;

namespace KubeProxy.Host.Configuration;

/// <summary>An address to listen on.</summary>
/// <param name="Address">The address; an unspecified one means all addresses of both families.</param>
/// <param name="Port">The port, 1 to 65535.</param>
public readonly record struct HostPort(IpAddr Address, ushort Port)
{
    /// <summary>Parses <c>1.2.3.4:80</c> or <c>[::1]:80</c>.</summary>
    public static bool TryParse(string text, out HostPort hostPort)
    {
        hostPort = default;
        if (!TrySplit(text, out var host, out var port) || !IpAddr.TryParse(host, out var address)) return false;
        if (!TryPort(port, out var number)) return false;
        hostPort = new HostPort(address, number);
        return true;
    }

    /// <summary>Why a text is not an address to listen on; null when it is.</summary>
    internal static string? Refuse(string text)
    {
        if (!TrySplit(text, out var host, out var port)) return "must be IP:port";
        if (!IpAddr.TryParse(host, out _)) return $"{host} must be a valid IP";
        return TryPort(port, out _) ? null : $"{port} must be a valid port";
    }

    /// <summary><c>address:port</c>.</summary>
    public override string ToString() => new IpEndpoint(Address, Port).ToString();

    private static bool TrySplit(string text, out string host, out string port)
    {
        (host, port) = ("", "");
        var colon = text.LastIndexOf(':');
        if (colon < 0) return false;
        (host, port) = (text[..colon], text[(colon + 1)..]);
        if (!host.StartsWith('[')) return !host.Contains(':', StringComparison.Ordinal);
        if (!host.EndsWith(']')) return false;
        host = host[1..^1];
        return true;
    }

    private static bool TryPort(string text, out ushort port) =>
        ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port > 0;
}
