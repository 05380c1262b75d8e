namespace KubeProxy.Netfilter.Nftables.Rules;

/// <summary>A statement that keeps numbers of its own. These can stand in the elements of sets too.</summary>
public abstract record NftStateful : NftStatement
{
    private protected NftStateful() { }
}

/// <summary>Counts packets and bytes. The values are observed only and not part of equality.</summary>
public sealed record NftCounter : NftStateful
{
    /// <summary>Packets counted.</summary>
    public ulong Packets { get; init; }

    /// <summary>Bytes counted.</summary>
    public ulong Bytes { get; init; }

    /// <inheritdoc/>
    public bool Equals(NftCounter? other) => other is not null;

    /// <inheritdoc/>
    public override int GetHashCode() => 1;
}

/// <summary>Continues while (or with <paramref name="Over"/>, once) more does not come than that: <c>limit rate over 10/second burst 5 packets</c>.</summary>
/// <param name="Rate">How many packets, or bytes, in a <paramref name="Unit"/>.</param>
/// <param name="Unit">Seconds: 1, 60, 3600, 86400 or 604800.</param>
/// <param name="Burst">How many more at once.</param>
/// <param name="IsBytes">Bytes instead of packets.</param>
/// <param name="Over">The other way round.</param>
public sealed record NftLimit(ulong Rate, ulong Unit = 1, uint Burst = 5, bool IsBytes = false, bool Over = false) : NftStateful;

/// <summary>Continues until (or with <paramref name="Over"/>, once) that many bytes have come: <c>quota over 1 gbytes</c>.</summary>
/// <param name="Bytes">How many.</param>
/// <param name="Over">The other way round.</param>
public sealed record NftQuota(ulong Bytes, bool Over = false) : NftStateful
{
    /// <summary>How many have come; not part of equality.</summary>
    public ulong Used { get; init; }

    /// <inheritdoc/>
    public bool Equals(NftQuota? other) => other is not null && Bytes == other.Bytes && Over == other.Over;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Bytes, Over);
}

/// <summary>Continues while (or with <paramref name="Over"/>, once) there are not more connections: <c>ct count over 10</c>.</summary>
/// <param name="Count">How many.</param>
/// <param name="Over">The other way round.</param>
public sealed record NftConnectionLimit(uint Count, bool Over = false) : NftStateful;

/// <summary>Remembers when a packet came last: <c>last used 3s</c>. The value is not part of equality. Linux 5.14.</summary>
public sealed record NftLast : NftStateful
{
    /// <summary>How long ago; null for never.</summary>
    public TimeSpan? Used { get; init; }

    /// <inheritdoc/>
    public bool Equals(NftLast? other) => other is not null;

    /// <inheritdoc/>
    public override int GetHashCode() => 2;
}
