using KubeProxy.Netfilter.Nftables.Rules;
using static KubeProxy.Netfilter.Nftables.Wire.NftExpressionValues;

namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>
/// Writes of fields. One of less than whole bytes is read with its neighbours, changed and written back with them; and an internet
/// checksum can only be corrected for whole 16-bit words.
/// </summary>
internal static class NftPartialWrites
{
    private static readonly Dictionary<string, uint> ChecksumOffsets = new(StringComparer.Ordinal)
    {
        ["ip"] = 10, ["icmp"] = 2, ["igmp"] = 2, ["udp"] = 6, ["tcp"] = 16, ["icmpv6"] = 2,
    };

    /// <summary>The bytes that are written for a field: where they begin, and how many they are.</summary>
    public static NftLoaded.Packet Bytes(NftField field)
    {
        var packet = new NftLoaded.Packet(field.Base, field.ByteOffset, field.ByteLength);
        // Whole words, where there is an internet checksum.
        if (UsualChecksums(field).Type != ChecksumInet || (packet.Length % 2 == 0 && packet.Offset % 2 == 0)) return packet;
        var start = packet.Offset & ~1;
        return packet with { Offset = start, Length = ((packet.Offset + packet.Length + 1) & ~1) - start };
    }

    /// <summary>What nft has corrected for a field.</summary>
    public static NftChecksums UsualChecksums(NftField field)
    {
        var header = field.Owner;
        var isInAddress = header.Base == NftPayloadBase.Network && NftCanonical.HasPrefixes(field.Type) && header.Name is "ip" or "ip6";
        var offset = ChecksumOffsets.GetValueOrDefault(header.Name);
        return new NftChecksums(offset == 0 ? ChecksumNone : ChecksumInet, offset, isInAddress);
    }

    /// <summary>The field and the constant, when the packet's own bytes were loaded and changed.</summary>
    public static (NftField? Field, NftExpression? Value)? Read(NftLoaded.Packet written, NftLoaded? loaded, NftPacketContext context)
    {
        if (loaded is not NftLoaded.Masked { Inner: NftLoaded.Packet read } masked || read != written) return null;
        Span<byte> changed = stackalloc byte[masked.Length];
        for (var i = 0; i < changed.Length; i++) changed[i] = (byte)~masked.Mask.Span[i];
        if (NftBits.Run(changed) is not ({ } start, { } count)) return null;
        if (context.Find(written.Base, (written.Offset * 8) + start, count) is not { } field || Bytes(field) != written) return null;
        var below = (masked.Length * 8) - start - count;
        for (var i = 0; i < changed.Length; i++)
            if ((masked.Xor.Span[i] & masked.Mask.Span[i]) != 0)
                return null;
        return (field, new NftConstant(field.Type, NftBits.ShiftRight(masked.Xor, below, field.Format.Bytes)));
    }
}
