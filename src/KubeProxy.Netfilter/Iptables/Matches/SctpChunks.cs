using System.Collections.Immutable;
using System.Text;

namespace KubeProxy.Netfilter.Iptables;

/// <summary>How many of the chunk types must be there (<c>SCTP_CHUNK_MATCH_*</c>).</summary>
public enum SctpChunkQuantifier : uint
{
    /// <summary>One of them at least.</summary>
    Any = 1, // SCTP_CHUNK_MATCH_ANY

    /// <summary>All of them.</summary>
    All = 2, // SCTP_CHUNK_MATCH_ALL

    /// <summary>No others.</summary>
    Only = 4, // SCTP_CHUNK_MATCH_ONLY
}

/// <summary>Flags of the chunks of a type: of those under the mask these are set, and no others.</summary>
/// <param name="Type">The type.</param>
/// <param name="Mask">Which ones are looked at.</param>
/// <param name="Set">Which of them are set.</param>
public readonly record struct SctpChunkFlags(byte Type, byte Mask, byte Set);

/// <summary>Chunk types of SCTP (RFC 9260) that a packet must have: <c>--chunk-types all DATA:Be</c>.</summary>
/// <param name="Quantifier">How many of them.</param>
/// <param name="Types">The types in ascending order; none, or all 256.</param>
/// <param name="Negated">Not so.</param>
public sealed record SctpChunks(SctpChunkQuantifier Quantifier, ImmutableArray<byte> Types, bool Negated = false)
{
    private static readonly (byte Type, string Name)[] Names =
    [
        (0, "DATA"), (1, "INIT"), (2, "INIT_ACK"), (3, "SACK"), (4, "HEARTBEAT"), (5, "HEARTBEAT_ACK"), (6, "ABORT"), (7, "SHUTDOWN"), (8, "SHUTDOWN_ACK"),
        (9, "ERROR"), (10, "COOKIE_ECHO"), (11, "COOKIE_ACK"), (12, "ECN_ECNE"), (13, "ECN_CWR"), (14, "SHUTDOWN_COMPLETE"), (64, "I_DATA"), (130, "RE_CONFIG"),
        (132, "PAD"), (193, "ASCONF"), (128, "ASCONF_ACK"), (192, "FORWARD_TSN"), (194, "I_FORWARD_TSN"),
    ];

    /// <summary>What is asked of flags, at most 4.</summary>
    public ImmutableArray<SctpChunkFlags> Flags { get; init; } = [];

    /// <inheritdoc/>
    public bool Equals(SctpChunks? other) => other is not null && Quantifier == other.Quantifier && Negated == other.Negated
        && Types.AsSpan().SequenceEqual(other.Types.AsSpan()) && Flags.AsSpan().SequenceEqual(other.Flags.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Quantifier, Negated, Types.Length, Flags.Length);

    /// <summary>As iptables prints it.</summary>
    public override string ToString()
    {
        var text = new StringBuilder(Quantifier.ToString().ToLowerInvariant()).Append(' ');
        if (Types.IsEmpty) return text.Append("NONE").ToString();
        if (Types.Length == 256) return text.Append("ALL").ToString();
        for (var i = 0; i < Types.Length; i++)
        {
            if (i > 0) text.Append(',');
            var type = Types[i];
            text.Append(Array.Find(Names, entry => entry.Type == type).Name);
            foreach (var test in Flags)
                if (test.Type == type) AppendFlags(text, test);
        }

        return text.ToString();
    }

    private static void AppendFlags(StringBuilder text, SctpChunkFlags test)
    {
        var letters = test.Type switch { 0 or 64 => "----IUBE", 6 or 14 => "-------T", _ => "--------" };
        if (test.Mask != 0) text.Append(':');
        for (var bit = 7; bit >= 0; bit--)
        {
            if ((test.Mask & (1 << bit)) == 0) continue;
            var letter = letters[7 - bit];
            text.Append((test.Set & (1 << bit)) != 0 ? letter : char.ToLowerInvariant(letter));
        }
    }
}
