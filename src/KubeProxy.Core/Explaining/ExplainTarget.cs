using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using KubeProxy.Core.Model;

namespace KubeProxy.Core.Explaining;

/// <summary>What is to be explained. A closed set.</summary>
public abstract record ExplainTarget
{
    // Names of DNS have at most 253 characters.
    private const int Longest = 300;

    private ExplainTarget() { }

    /// <summary>An address, of a Service or of an endpoint.</summary>
    /// <param name="Value">The address.</param>
    /// <param name="Port">The port; null for all.</param>
    /// <param name="Protocol">The protocol; null for all.</param>
    public sealed record Address(IpAddr Value, ushort? Port, Protocol? Protocol) : ExplainTarget
    {
        /// <inheritdoc/>
        public override string ToString() => (Port is { } port ? new IpEndpoint(Value, port).ToString() : Value.ToString()) + Suffix(Protocol);
    }

    /// <summary>A port of the node.</summary>
    /// <param name="Port">The port.</param>
    /// <param name="Protocol">The protocol; null for all.</param>
    public sealed record NodePort(ushort Port, Protocol? Protocol) : ExplainTarget
    {
        /// <inheritdoc/>
        public override string ToString() => $"node:{Port}{Suffix(Protocol)}";
    }

    /// <summary>A Service.</summary>
    /// <param name="Name">The Service.</param>
    /// <param name="Port">The name or number of a port; null for all.</param>
    /// <param name="Protocol">The protocol; null for all.</param>
    public sealed record Service(NamespacedName Name, string? Port, Protocol? Protocol) : ExplainTarget
    {
        /// <inheritdoc/>
        public override string ToString() => $"{Name}{(Port is null ? "" : $":{Port}")}{Suffix(Protocol)}";

        /// <summary>Whether a port of the Service is meant.</summary>
        public bool Means(string name, ushort port, Protocol protocol) =>
            (Protocol is null || Protocol == protocol) && (Port is null || Port == name || Port == port.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>
    /// Reads <c>10.96.0.10:80/tcp</c>, <c>[fd00::10]:80</c> or <c>10.96.0.10</c>, <c>node:30080/udp</c>, <c>namespace/service:port</c> (name or
    /// number), or a host name such as <c>service.namespace.svc.cluster.local:port</c>; what comes after the name may be missing.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="target">What it means.</param>
    /// <param name="problem">What is wrong with it.</param>
    public static bool TryParse(string? text, [NotNullWhen(true)] out ExplainTarget? target, [NotNullWhen(false)] out string? problem)
    {
        (target, problem) = Parse(text?.Trim() ?? "");
        return target is not null;
    }

    private static (ExplainTarget?, string?) Parse(string text)
    {
        if (text.Length is 0 or > Longest) return (null, $"a target has 1 to {Longest} characters");
        if (text.Any(char.IsControl)) return (null, "a target has no control characters");
        Protocol? protocol = null;
        var slash = text.LastIndexOf('/');
        if (slash > 0 && ProtocolOf(text[(slash + 1)..]) is { } found && !IsServiceAlone(text, slash)) (protocol, text) = (found, text[..slash]);
        if (IpAddr.TryParse(text.Trim('[', ']'), out var alone)) return (new Address(alone, null, protocol), null);
        var (host, port) = Split(text);
        if (host == "node") return PortOf(port) is { } nodePort ? (new NodePort(nodePort, protocol), null) : (null, $"'{port}' is not a port of 1 to 65535");
        if (IpAddr.TryParse(host.Trim('[', ']'), out var address))
            return PortOf(port) is { } number ? (new Address(address, number, protocol), null) : (null, $"'{port}' is not a port of 1 to 65535");
        return NameOf(host) is { } name
            ? (new Service(name, port.Length == 0 ? null : port, protocol), null)
            : (null, $"'{text}' is neither ADDRESS[:PORT], node:PORT, NAMESPACE/SERVICE[:PORT] nor SERVICE.NAMESPACE.svc[.DOMAIN][:PORT], each with /tcp, /udp or /sctp where needed");
    }

    // A Service may be called tcp.
    private static bool IsServiceAlone(string text, int slash) => text.IndexOf('/', StringComparison.Ordinal) == slash && !text.Contains(':', StringComparison.Ordinal)
        && !text.Contains('.', StringComparison.Ordinal);

    private static (string Host, string Port) Split(string text)
    {
        var colon = text.LastIndexOf(':');
        return colon < 0 ? (text, "") : (text[..colon], text[(colon + 1)..]);
    }

    private static ushort? PortOf(string text) => ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port > 0 ? port : null;

    private static NamespacedName? NameOf(string host)
    {
        var slash = host.IndexOf('/', StringComparison.Ordinal);
        if (slash >= 0) return slash > 0 && slash < host.Length - 1 && host.IndexOf('/', slash + 1) < 0 ? new(host[..slash], host[(slash + 1)..]) : null;
        string[] labels = host.TrimEnd('.').Split('.');
        return labels is [{ Length: > 0 } name, { Length: > 0 } space, "svc", ..] ? new(space, name) : null;
    }

    private static Protocol? ProtocolOf(string text) => text.ToUpperInvariant() switch
    {
        "TCP" => Model.Protocol.Tcp,
        "UDP" => Model.Protocol.Udp,
        "SCTP" => Model.Protocol.Sctp,
        _ => null,
    };

    private static string Suffix(Protocol? protocol) => protocol is { } known ? "/" + known.ToLowerName() : "";
}
