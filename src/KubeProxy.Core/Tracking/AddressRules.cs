using KubeProxy.Core.Model;

namespace KubeProxy.Core.Tracking;

/// <summary>Which addresses can be used for what, and how objects write addresses and ports.</summary>
internal static class AddressRules
{
    private static readonly (Cidr Block, string Meaning)[] Special =
    [
        (Cidr.Parse("0.0.0.0/8"), "an unspecified address"),
        (Cidr.Parse("127.0.0.0/8"), "a loopback address"),
        (Cidr.Parse("224.0.0.0/4"), "a multicast address"),
        (Cidr.Parse("255.255.255.255/32"), "the broadcast address"),
        (Cidr.Parse("::/128"), "an unspecified address"),
        (Cidr.Parse("::1/128"), "a loopback address"),
        (Cidr.Parse("ff00::/8"), "a multicast address"),
    ];

    /// <summary>Parses an address that traffic is to be sent to.</summary>
    public static bool TryParseUsable(string? text, out IpAddr address, out string reason)
    {
        reason = "";
        if (!IpAddr.TryParse(text?.Trim(), out address))
        {
            reason = $"'{text}' is not an IP address";
            return false;
        }

        foreach (var (block, meaning) in Special)
        {
            if (!block.Contains(address)) continue;
            reason = $"{address} is {meaning}";
            return false;
        }

        return true;
    }

    /// <summary>Reads a port number of 1 to 65535.</summary>
    public static bool TryGetPort(int? value, out ushort port)
    {
        port = value is >= 1 and <= 65535 ? (ushort)value : (ushort)0;
        return port != 0;
    }

    /// <summary>Reads a protocol; missing means TCP, as the API server would fill in.</summary>
    public static bool TryGetProtocol(string? text, out Protocol protocol)
    {
        (protocol, var known) = text switch
        {
            null or "" or "TCP" => (Protocol.Tcp, true),
            "UDP" => (Protocol.Udp, true),
            "SCTP" => (Protocol.Sctp, true),
            _ => (default, false),
        };
        return known;
    }
}
