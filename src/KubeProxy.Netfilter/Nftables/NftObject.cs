using System.Collections.Immutable;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Nftables;

/// <summary>The identity of a named object: each kind has names of its own.</summary>
/// <param name="Table">The table.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Name">The name, 1 to 255 bytes.</param>
public readonly record struct NftObjectKey(NftTableKey Table, NftObjectKind Kind, string Name);

/// <summary>A named object that rules and maps refer to: a counter, quota, limit, ct helper ...</summary>
/// <param name="Key">The identity.</param>
/// <param name="Content">What it is like; of the same kind.</param>
public sealed record NftObject(NftObjectKey Key, NftObjectContent Content)
{
    /// <summary>A comment, at most 128 bytes; null for none. Kept by the kernel since Linux 5.10.</summary>
    public string? Comment { get; init; }

    /// <summary>A named counter, quota or limit.</summary>
    /// <exception cref="ArgumentException">There are no objects of that kind.</exception>
    public static NftObject Of(NftTableKey table, string name, NftStateful state) => new(
        new NftObjectKey(table, state switch
        {
            NftCounter => NftObjectKind.Counter,
            NftQuota => NftObjectKind.Quota,
            NftLimit => NftObjectKind.Limit,
            NftConnectionLimit => NftObjectKind.ConnectionLimit,
            _ => throw new ArgumentException($"{state} cannot be a named object.", nameof(state)),
        }, name), new NftStateContent(state));
}

/// <summary>What a named object is like.</summary>
public abstract record NftObjectContent
{
    private protected NftObjectContent() { }
}

/// <summary>A counter, quota, limit or connection limit.</summary>
public sealed record NftStateContent(NftStateful State) : NftObjectContent;

/// <summary>What <c>ct helper set</c> gives a connection.</summary>
/// <param name="Helper">The kernel's name of the helper, such as <c>ftp</c>.</param>
/// <param name="Protocol">The transport protocol's number.</param>
/// <param name="Family"><see cref="NftFamily.Ip"/>, <see cref="NftFamily.Ip6"/> or <see cref="NftFamily.Inet"/>.</param>
public sealed record NftHelperContent(string Helper, byte Protocol, NftFamily Family) : NftObjectContent;

/// <summary>What <c>ct timeout set</c> gives a connection.</summary>
/// <param name="Protocol">The transport protocol's number.</param>
/// <param name="Family">The family.</param>
/// <param name="Seconds">The timeouts in seconds, in the kernel's order of the states (<c>linux/netfilter/nfnetlink_cttimeout.h</c>).</param>
public sealed record NftTimeoutContent(byte Protocol, NftFamily Family, ImmutableArray<uint> Seconds) : NftObjectContent
{
    /// <inheritdoc/>
    public bool Equals(NftTimeoutContent? other) =>
        other is not null && Protocol == other.Protocol && Family == other.Family && Seconds.AsSpan().SequenceEqual(other.Seconds.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Protocol, Family, Seconds.Length);
}

/// <summary>What <c>ct expectation set</c> lets a connection expect.</summary>
/// <param name="Protocol">The transport protocol's number.</param>
/// <param name="Family">The family; null for that of the table.</param>
/// <param name="Port">The destination port.</param>
/// <param name="Timeout">For how long, in milliseconds.</param>
/// <param name="Size">How many connections.</param>
public sealed record NftExpectationContent(byte Protocol, NftFamily? Family, ushort Port, uint Timeout, byte Size) : NftObjectContent;

/// <summary>What <c>synproxy name</c> answers with.</summary>
public sealed record NftSynproxyContent(NftSynproxy Synproxy) : NftObjectContent;

/// <summary>What <c>meta secmark set</c> marks packets with.</summary>
/// <param name="Context">The security context.</param>
public sealed record NftSecmarkContent(string Context) : NftObjectContent;

/// <summary>An object that this library does not know; written back as it came.</summary>
/// <param name="Data">Its attributes (<c>NFTA_OBJ_DATA</c>) as they are on the wire.</param>
public sealed record NftOpaqueContent(ImmutableArray<byte> Data) : NftObjectContent
{
    /// <inheritdoc/>
    public bool Equals(NftOpaqueContent? other) => other is not null && Data.AsSpan().SequenceEqual(other.Data.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => Data.Length;
}

/// <summary>The identity of a flowtable.</summary>
/// <param name="Table">The table.</param>
/// <param name="Name">The name, 1 to 255 bytes.</param>
public readonly record struct NftFlowtableKey(NftTableKey Table, string Name);

/// <summary>A flowtable: packets of the connections in it pass by the rules. Kept as bytes, and written back so.</summary>
/// <param name="Key">The identity.</param>
/// <param name="Attributes">Its hook, devices and flags as they are on the wire.</param>
public sealed record NftFlowtable(NftFlowtableKey Key, ImmutableArray<byte> Attributes)
{
    /// <inheritdoc/>
    public bool Equals(NftFlowtable? other) => other is not null && Key == other.Key && Attributes.AsSpan().SequenceEqual(other.Attributes.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => Key.GetHashCode();
}
