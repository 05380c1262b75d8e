using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary>A range of ports.</summary>
/// <param name="First">The lowest.</param>
/// <param name="Last">The highest.</param>
/// <param name="Negated">Outside of it.</param>
public sealed record PortRange(ushort First, ushort Last, bool Negated = false)
{
    /// <summary>One port.</summary>
    public static PortRange Single(ushort port) => new(port, port);

    /// <summary>As a list of ports shows it; whether it is negated stands before the option.</summary>
    public override string ToString() => First == Last ? $"{First}" : $"{First}:{Last}";

    /// <summary>Adds it as an option; nothing for null.</summary>
    internal static void Print(string option, PortRange? ports, IptablesArguments text)
    {
        if (ports is not null) text.AddRange(option, ports.Negated, ports.First, ports.Last);
    }

    /// <summary>Two ports in host order that stand behind each other.</summary>
    internal static PortRange Read(ReadOnlySpan<byte> info, int at, bool negated) => new(info.U16(at), info.U16(at + 2), negated);

    /// <summary>Likewise.</summary>
    internal void Write(Span<byte> info, int at)
    {
        info.Put(at, First);
        info.Put(at + 2, Last);
    }
}
