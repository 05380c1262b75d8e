using System.Collections.Immutable;
using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary>A set of the kernel and which addresses, ports or interfaces make its key.</summary>
/// <param name="Index">The kernel's number of the set; the rule does not have its name.</param>
/// <param name="FromSource">For each part of the key whether it is taken from the source, instead of from the destination; 1 to 6.</param>
public sealed record SetReference(ushort Index, ImmutableArray<bool> FromSource)
{
    private const ushort None = ushort.MaxValue; // IPSET_INVALID_ID
    private const int Limit = 6; // IPSET_DIM_MAX

    /// <inheritdoc/>
    public bool Equals(SetReference? other) => other is not null && Index == other.Index && FromSource.AsSpan().SequenceEqual(other.FromSource.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Index, FromSource.Length);

    // struct xt_set_info (xt_set.h): | index u16 | dim u8 | flags u8 |; bit 0 of the flags is a negation.
    internal static SetReference? Read(ReadOnlySpan<byte> info, int at)
    {
        var dimensions = info[at + 2];
        if (info.U16(at) == None || dimensions > Limit) return null;
        var flags = info[at + 3];
        return new SetReference(info.U16(at), [.. Enumerable.Range(1, dimensions).Select(dimension => (flags & (1 << dimension)) != 0)]);
    }

    internal static void Write(SetReference? set, Span<byte> info, int at, bool negated = false)
    {
        info.Put(at, set?.Index ?? None);
        if (set is null) return;
        if (set.FromSource.Length > Limit) throw new ArgumentException($"More than {Limit} parts.", nameof(set));
        info[at + 2] = (byte)set.FromSource.Length;
        info[at + 3] = negated ? (byte)1 : (byte)0;
        for (var i = 0; i < set.FromSource.Length; i++)
            if (set.FromSource[i]) info[at + 3] |= (byte)(2 << i);
    }

    /// <summary>The set by its number, in a form that iptables-restore refuses; and the parts of the key.</summary>
    public override string ToString() => $"/*{Index}*/ {string.Join(',', FromSource.Select(source => source ? "src" : "dst"))}";
}

/// <summary>A comparison of a counter of a set's element.</summary>
/// <param name="Operator">0 none, 1 equal, 2 not equal, 3 less, 4 greater (<c>IPSET_COUNTER_*</c>).</param>
/// <param name="Value">With what.</param>
public readonly record struct SetCounterTest(byte Operator, ulong Value);

/// <summary><c>-m set --match-set</c>: whether an ipset has the packet.</summary>
/// <param name="Set">The set.</param>
/// <param name="Negated">It has not.</param>
public sealed record SetMatch(SetReference Set, bool Negated = false) : IptablesMatch
{
    private static readonly string[] Operators = ["", "-eq", "-eq", "-lt", "-gt"];

    /// <summary>What the element's count of packets must be.</summary>
    public SetCounterTest Packets { get; init; }

    /// <summary>What the element's count of bytes must be.</summary>
    public SetCounterTest Bytes { get; init; }

    /// <summary>Flags: 1 &lt;&lt; 2 <c>--return-nomatch</c>, 1 &lt;&lt; 1 <c>! --update-counters</c>, 1 &lt;&lt; 3 <c>! --update-subcounters</c> (<c>IPSET_FLAG_*</c>).</summary>
    public uint Flags { get; init; }

    // struct xt_set_info_match_v4 (xt_set.h): | match_set 4 | padding | packets { value u64 | op u8 } at 8 | bytes at 24 | flags u32 at 40 |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, SetMatch>("set", 4, 48, Read, Write, Print);

    private static SetMatch? Read(ReadOnlySpan<byte> info, in XtContext context) => SetReference.Read(info, 0) is { } set && info[16] < 5 && info[32] < 5
        ? new SetMatch(set, (info[3] & 1) != 0) { Packets = new SetCounterTest(info[16], info.U64(8)), Bytes = new SetCounterTest(info[32], info.U64(24)), Flags = info.U32(40) } : null;

    private static void Write(SetMatch match, Span<byte> info, in XtContext context)
    {
        SetReference.Write(match.Set, info, 0, match.Negated);
        info.Put(8, match.Packets.Value);
        info[16] = match.Packets.Operator;
        info.Put(24, match.Bytes.Value);
        info[32] = match.Bytes.Operator;
        info.Put(40, match.Flags);
    }

    private static void Print(SetMatch match, IptablesArguments text)
    {
        text.Not(match.Negated).Add($"--match-set {match.Set}");
        text.If((match.Flags & 4) != 0, "--return-nomatch").If((match.Flags & 2) != 0, "! --update-counters").If((match.Flags & 8) != 0, "! --update-subcounters");
        PrintCounter("--packets", match.Packets, text);
        PrintCounter("--bytes", match.Bytes, text);
    }

    private static void PrintCounter(string option, SetCounterTest test, IptablesArguments text)
    {
        if (test.Operator is 0 or > 4) return;
        text.Not(test.Operator == 2).Add($"{option}{Operators[test.Operator]} {test.Value}");
    }
}
