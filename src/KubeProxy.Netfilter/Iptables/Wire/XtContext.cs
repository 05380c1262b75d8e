using KubeProxy.Core.Model;

namespace KubeProxy.Netfilter.Iptables.Wire;

/// <summary>What the struct of an extension depends on beside itself.</summary>
/// <param name="Family">The family of the rule.</param>
/// <param name="Protocol">What the rule says of the protocol.</param>
internal readonly record struct XtContext(IpFamily Family, ProtocolMatch? Protocol)
{
    /// <summary>Whether the rule is for this protocol alone.</summary>
    public bool IsFor(Protocol protocol) => Protocol is { Negated: false } found && found.Protocol == protocol;
}
