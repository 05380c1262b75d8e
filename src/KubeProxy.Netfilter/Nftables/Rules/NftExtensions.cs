using T = KubeProxy.Netfilter.Nftables.NftDataType;
using K = KubeProxy.Netfilter.Nftables.Rules.NftExtensionKind;

namespace KubeProxy.Netfilter.Nftables.Rules;

/// <summary>The names of extension headers, options and chunks, and of their fields (offsets and lengths in bits).</summary>
internal static class NftExtensions
{
    private const int SackBlocks = 4;

    private static readonly (string Name, int Offset, int Length, T Type)[] Generic = [F("nexthdr", 0, 8, T.InetProto), F("hdrlength", 8, 8)];
    private static readonly (string Name, int Offset, int Length, T Type)[] Option = [F("kind", 0, 8), F("length", 8, 8)];
    private static readonly (string Name, int Offset, int Length, T Type)[] Chunk = [F("type", 0, 8), F("flags", 8, 8), F("length", 16, 16)];
    private static readonly (string Name, int Offset, int Length, T Type)[] Route = [F("type", 0, 8), F("length", 8, 8), F("ptr", 16, 8), F("addr", 24, 32, T.Ipv4Addr)];
    private static readonly (string Name, int Offset, int Length, T Type)[] Init =
    [
        .. Chunk, F("init-tag", 32, 32), F("a-rwnd", 64, 32), F("num-outbound-streams", 96, 16), F("num-inbound-streams", 112, 16), F("initial-tsn", 128, 32),
    ];

    private static readonly Description[] All =
    [
        new(K.Ipv6Header, 0, "hbh", Generic),
        new(K.Ipv6Header, 43, "rt", [.. Generic, F("type", 16, 8), F("seg-left", 24, 8)]),
        new(K.Ipv6Header, 43, "srh", [F("last-entry", 32, 8), F("flags", 40, 8), F("tag", 48, 16), F("sid[1]", 64, 128, T.Ipv6Addr), F("sid[2]", 192, 128, T.Ipv6Addr)]),
        new(K.Ipv6Header, 43, "rt0", [F("reserved", 32, 32)]),
        new(K.Ipv6Header, 44, "frag",
        [
            F("nexthdr", 0, 8, T.InetProto), F("reserved", 8, 8), F("frag-off", 16, 13), F("reserved2", 29, 2), F("more-fragments", 31, 1), F("id", 32, 32),
        ]),
        new(K.Ipv6Header, 60, "dst", Generic),
        new(K.Ipv6Header, 135, "mh", [.. Generic, F("type", 16, 8, T.MhType), F("reserved", 24, 8), F("checksum", 32, 16)]),
        new(K.TcpOption, 0, "eol", [F("kind", 0, 8)]),
        new(K.TcpOption, 1, "nop", [F("kind", 0, 8)]),
        new(K.TcpOption, 2, "maxseg", [.. Option, F("size", 16, 16)]),
        new(K.TcpOption, 3, "window", [.. Option, F("count", 16, 8)]),
        new(K.TcpOption, 4, "sack-perm", Option),
        new(K.TcpOption, 5, "sack", [.. Option, .. Sack()]),
        new(K.TcpOption, 8, "timestamp", [.. Option, F("tsval", 16, 32), F("tsecr", 48, 32)]),
        new(K.TcpOption, 19, "md5sig", Option),
        new(K.TcpOption, 30, "mptcp", [.. Option, F("subtype", 16, 4)]),
        new(K.TcpOption, 34, "fastopen", Option),
        new(K.IpOption, 7, "rr", Route),
        new(K.IpOption, 131, "lsrr", Route),
        new(K.IpOption, 137, "ssrr", Route),
        new(K.IpOption, 148, "ra", [F("type", 0, 8), F("length", 8, 8), F("value", 16, 16)]),
        new(K.SctpChunk, 0, "data", [.. Chunk, F("tsn", 32, 32), F("stream", 64, 16), F("ssn", 80, 16), F("ppid", 96, 32)]),
        new(K.SctpChunk, 1, "init", Init),
        new(K.SctpChunk, 2, "init-ack", Init),
        new(K.SctpChunk, 3, "sack", [.. Chunk, F("cum-tsn-ack", 32, 32), F("a-rwnd", 64, 32), F("num-gap-ack-blocks", 96, 16), F("num-dup-tsns", 112, 16)]),
        new(K.SctpChunk, 4, "heartbeat", Chunk),
        new(K.SctpChunk, 5, "heartbeat-ack", Chunk),
        new(K.SctpChunk, 6, "abort", Chunk),
        new(K.SctpChunk, 7, "shutdown", [.. Chunk, F("cum-tsn-ack", 32, 32)]),
        new(K.SctpChunk, 8, "shutdown-ack", Chunk),
        new(K.SctpChunk, 9, "error", Chunk),
        new(K.SctpChunk, 10, "cookie-echo", Chunk),
        new(K.SctpChunk, 11, "cookie-ack", Chunk),
        new(K.SctpChunk, 12, "ecne", [.. Chunk, F("lowest-tsn", 32, 32)]),
        new(K.SctpChunk, 13, "cwr", [.. Chunk, F("lowest-tsn", 32, 32)]),
        new(K.SctpChunk, 14, "shutdown-complete", Chunk),
        new(K.SctpChunk, 0x80, "asconf-ack", [.. Chunk, F("seqno", 32, 32)]),
        new(K.SctpChunk, 0xC0, "forward-tsn", [.. Chunk, F("new-cum-tsn", 32, 32)]),
        new(K.SctpChunk, 0xC1, "asconf", [.. Chunk, F("seqno", 32, 32)]),
    ];

    /// <summary>nft's text for it; null where nft has none that it understands.</summary>
    public static string? Text(NftExtension extension)
    {
        var start = extension.Kind switch { K.TcpOption => "tcp option ", K.IpOption => "ip option ", K.SctpChunk => "sctp chunk ", _ => "" };
        if (extension.IsPresence)
        {
            var name = Array.Find(All, entry => entry.Kind == extension.Kind && entry.Type == extension.Type)?.Name;
            name ??= extension.Kind == K.TcpOption ? Number(extension.Type) : null;
            return name is null ? null : (extension.Kind == K.Ipv6Header ? "exthdr " : start) + name;
        }

        if (Find(extension) is ({ } description, { } field)) return $"{start}{description.Name}{field.Name}";
        return extension.Kind == K.TcpOption && !All.Any(entry => entry.Kind == K.TcpOption && entry.Type == extension.Type)
            ? $"tcp option @{Number(extension.Type)},{Number(extension.BitOffset)},{Number(extension.BitLength)}" : null;
    }

    public static NftDataType TypeOf(NftExtension extension) =>
        extension.IsPresence ? T.Boolean : Find(extension) is ({ }, { Type: var type }) ? type : T.Integer;

    /// <summary>The field that takes up these bits; null when none does.</summary>
    public static bool Has(NftExtension extension) => Find(extension).Description is not null;

    private static (Description? Description, (string Name, T Type)? Field) Find(NftExtension extension)
    {
        foreach (var description in All)
        {
            if (description.Kind != extension.Kind || description.Type != extension.Type) continue;
            foreach (var field in description.Fields)
                if (field.Offset == extension.BitOffset && field.Length == extension.BitLength)
                    return (description, (field.Name[0] is >= '0' and <= '9' ? field.Name : " " + field.Name, field.Type));
        }

        return default;
    }

    // The names of all blocks but the first begin with their number: nft writes it behind the option's name.
    private static IEnumerable<(string, int, int, T)> Sack()
    {
        for (var block = 0; block < SackBlocks; block++)
        {
            var number = block == 0 ? "" : Number(block) + " ";
            yield return F(number + "left", 16 + (block * 64), 32);
            yield return F(number + "right", 48 + (block * 64), 32);
        }
    }

    private static string Number(int number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static (string Name, int Offset, int Length, T Type) F(string name, int offset, int length, T type = T.Integer) => (name, offset, length, type);

    private sealed record Description(K Kind, byte Type, string Name, (string Name, int Offset, int Length, T Type)[] Fields);
}
