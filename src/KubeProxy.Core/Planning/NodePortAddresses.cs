using System.Collections.Immutable;
using KubeProxy.Core.Model;

namespace KubeProxy.Core.Planning;

/// <summary>On which of the node's addresses node ports are open (<c>nodePortAddresses</c>).</summary>
public sealed record NodePortAddresses
{
    /// <summary>On every address.</summary>
    public static NodePortAddresses Everywhere { get; } = new();

    /// <summary>Only on the node's primary addresses, whatever they are at the time; then <see cref="Blocks"/> is ignored.</summary>
    public bool Primary { get; init; }

    /// <summary>The blocks that addresses have to be in. A family without a block, or with a /0, is open everywhere.</summary>
    public ImmutableArray<Cidr> Blocks { get; init; } = [];

    /// <summary>Reads the configured list: nothing, CIDR blocks, or <c>primary</c> alone.</summary>
    /// <exception cref="FormatException">An entry is neither; the message names it.</exception>
    public static NodePortAddresses Parse(IReadOnlyList<string> entries)
    {
        ArgumentNullException.ThrowIfNull(entries);
        if (entries is ["primary"]) return new NodePortAddresses { Primary = true };
        var blocks = ImmutableArray.CreateBuilder<Cidr>(entries.Count);
        foreach (var entry in entries)
        {
            if (entry == "primary") throw new FormatException("'primary' cannot be combined with other node port addresses.");
            blocks.Add(Cidr.Parse(entry));
        }

        return new NodePortAddresses { Blocks = blocks.ToImmutable() };
    }

    /// <summary>The blocks of one family, sorted; empty for everywhere. Loopback as primary address counts as unknown.</summary>
    public ImmutableArray<Cidr> Resolve(IpFamily family, NodeTopology node)
    {
        ArgumentNullException.ThrowIfNull(node);
        if (Primary) return node.AddressOf(family) is { } address && !address.IsLoopback ? [Cidr.Single(address)] : [];
        var ofFamily = Blocks.Where(block => block.Family == family).Distinct()
            .OrderBy(block => block.First).ThenBy(block => block.PrefixLength).ToImmutableArray();
        return ofFamily.Any(block => block.PrefixLength == 0) ? [] : ofFamily;
    }

    /// <summary>Whether a loopback address is among them.</summary>
    public bool Includes(IpAddr loopback) =>
        !Primary && (!Blocks.Any(block => block.Family == loopback.Family) || Blocks.Any(block => block.Contains(loopback)));

    /// <inheritdoc/>
    public bool Equals(NodePortAddresses? other) =>
        other is not null && Primary == other.Primary && Blocks.AsSpan().SequenceEqual(other.Blocks.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Primary, Blocks.Length);
}
