using System.Collections.Immutable;
using KubeProxy.Core.Model;

namespace KubeProxy.Netfilter.Iptables;

/// <summary>
/// A rule in the terms of iptables: what the packet must be, and what happens to it. Compared by value; counters are not part
/// of it. Parts that this library does not know are kept as they are (<see cref="UnknownMatch"/>, <see cref="UnknownTarget"/>).
/// </summary>
public sealed record IptablesRule
{
    /// <summary>The source address (<c>-s</c>); null for any.</summary>
    public AddressMatch? Source { get; init; }

    /// <summary>The destination address (<c>-d</c>); null for any.</summary>
    public AddressMatch? Destination { get; init; }

    /// <summary>The input interface (<c>-i</c>); null for any.</summary>
    public InterfaceMatch? InputInterface { get; init; }

    /// <summary>The output interface (<c>-o</c>); null for any.</summary>
    public InterfaceMatch? OutputInterface { get; init; }

    /// <summary>The transport protocol (<c>-p</c>); null for any.</summary>
    public ProtocolMatch? Protocol { get; init; }

    /// <summary>Further conditions (<c>-m</c>), in order.</summary>
    public ImmutableArray<IptablesMatch> Matches { get; init; } = [];

    /// <summary>What happens (<c>-j</c> or <c>-g</c>); null to count only.</summary>
    public IptablesTarget? Target { get; init; }

    /// <summary>The chain of a jump or goto; null for other targets.</summary>
    public string? JumpChain => (Target as VerdictTarget)?.Verdict.Chain;

    /// <inheritdoc/>
    public bool Equals(IptablesRule? other) => ReferenceEquals(this, other) || (other is not null
        && Source == other.Source && Destination == other.Destination
        && InputInterface == other.InputInterface && OutputInterface == other.OutputInterface
        && Protocol == other.Protocol && Target == other.Target
        && Matches.AsSpan().SequenceEqual(other.Matches.AsSpan()));

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add(Source);
        hash.Add(Destination);
        hash.Add(Protocol);
        hash.Add(Target);
        foreach (var match in Matches) hash.Add(match);
        return hash.ToHashCode();
    }

    /// <summary>
    /// The arguments, about as <c>iptables-save</c> writes them; exactly so by <see cref="IptablesText"/>, which is told the family.
    /// </summary>
    public override string ToString() =>
        IptablesText.Arguments(this, (Source ?? Destination)?.Block.Family ?? (Target as DnatTarget)?.To.Address.Family ?? IpFamily.IPv4);
}

/// <summary>Continues only when the address is (or is not) in the block.</summary>
/// <param name="Block">The block. Of IPv4 in a rule of IPv6 it is one of IPv4-mapped addresses (RFC 4291).</param>
/// <param name="Negated">Outside of it.</param>
public sealed record AddressMatch(Cidr Block, bool Negated = false);

/// <summary>Continues only when the interface is (or is not) this one.</summary>
/// <param name="Name">1 to 15 bytes; with a <c>+</c> at the end, what the name begins with.</param>
/// <param name="Negated">Any other.</param>
public sealed record InterfaceMatch(string Name, bool Negated = false);

/// <summary>Continues only when the transport protocol is (or is not) this one.</summary>
/// <param name="Protocol">The IANA protocol number, whether it has a name in the enumeration or not.</param>
/// <param name="Negated">Any other.</param>
public sealed record ProtocolMatch(Protocol Protocol, bool Negated = false);
