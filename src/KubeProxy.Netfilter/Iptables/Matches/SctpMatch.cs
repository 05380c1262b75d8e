using System.Collections.Immutable;
using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-m sctp</c> with chunk types. Needs <c>-p sctp</c>; ports alone are a <see cref="PortMatch"/>.</summary>
/// <param name="Source">The source port; null for any.</param>
/// <param name="Destination">The destination port; null for any.</param>
public sealed record SctpMatch(PortRange? Source = null, PortRange? Destination = null) : IptablesMatch
{
    internal const int Size = 296;
    private const int Chunks = 8;
    private const int MatchType = 264;
    private const int FlagInfo = 268;
    private const int FlagLimit = 4; // XT_NUM_SCTP_FLAGS
    private const int FlagCount = 280;
    private const int Flags = 284;
    private const int Inverted = 288;
    private const uint HasSource = 1; // XT_SCTP_SRC_PORTS
    private const uint HasDestination = 2; // XT_SCTP_DEST_PORTS
    private const uint HasChunks = 4; // XT_SCTP_CHUNK_TYPES

    /// <summary>The chunks that are asked for; null for any.</summary>
    public SctpChunks? ChunkTypes { get; init; }

    // struct xt_sctp_info (xt_sctp.h): | dpts u16[2] | spts u16[2] | chunkmap u32[64] | chunk_match_type u32 | flag_info { u8 x 3 }[4] | flag_count int | flags u32 | invflags u32 |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, SctpMatch>("sctp", 0, Size, Read, Write, Print);

    private static SctpMatch? Read(ReadOnlySpan<byte> info, in XtContext context)
    {
        var (flags, inverted) = (info.U32(Flags), info.U32(Inverted));
        var count = info.U32(FlagCount);
        if (!context.IsFor(Core.Model.Protocol.Sctp) || count > FlagLimit || (flags & HasChunks) == 0) return null;
        var types = ImmutableArray.CreateBuilder<byte>();
        for (var type = 0; type < 256; type++)
            if ((info.U32(Chunks + (type / 32 * 4)) & (1u << (type % 32))) != 0) types.Add((byte)type);
        var tests = ImmutableArray.CreateBuilder<SctpChunkFlags>();
        for (var i = 0; i < count; i++)
        {
            var at = FlagInfo + (3 * i);
            tests.Add(new SctpChunkFlags(info[at], info[at + 2], info[at + 1]));
        }

        return new SctpMatch(
            (flags & HasSource) == 0 ? null : PortRange.Read(info, 4, (inverted & HasSource) != 0),
            (flags & HasDestination) == 0 ? null : PortRange.Read(info, 0, (inverted & HasDestination) != 0))
        {
            ChunkTypes = new SctpChunks((SctpChunkQuantifier)info.U32(MatchType), types.ToImmutable(), (inverted & HasChunks) != 0) { Flags = tests.ToImmutable() },
        };
    }

    private static void Write(SctpMatch match, Span<byte> info, in XtContext context)
    {
        WritePorts(info, match.Source, match.Destination);
        if (match.ChunkTypes is not { } chunks) return;
        if (chunks.Flags.Length > FlagLimit) throw new ArgumentException($"At most {FlagLimit} chunk types can have flags.", nameof(match));
        foreach (var type in chunks.Types) info.Put(Chunks + (type / 32 * 4), ((ReadOnlySpan<byte>)info).U32(Chunks + (type / 32 * 4)) | (1u << (type % 32)));
        info.Put(MatchType, (uint)chunks.Quantifier);
        for (var i = 0; i < chunks.Flags.Length; i++)
            (info[FlagInfo + (3 * i)], info[FlagInfo + (3 * i) + 1], info[FlagInfo + (3 * i) + 2]) = (chunks.Flags[i].Type, chunks.Flags[i].Set, chunks.Flags[i].Mask);
        info.Put(FlagCount, (uint)chunks.Flags.Length);
        info.Put(Flags, ((ReadOnlySpan<byte>)info).U32(Flags) | HasChunks);
        if (chunks.Negated) info.Put(Inverted, ((ReadOnlySpan<byte>)info).U32(Inverted) | HasChunks);
    }

    /// <summary>The struct with ports alone.</summary>
    internal static void WritePorts(Span<byte> info, PortRange? source, PortRange? destination)
    {
        uint flags = 0, inverted = 0;
        if (source is not null)
        {
            source.Write(info, 4);
            flags |= HasSource;
            if (source.Negated) inverted |= HasSource;
        }

        if (destination is not null)
        {
            destination.Write(info, 0);
            flags |= HasDestination;
            if (destination.Negated) inverted |= HasDestination;
        }

        // No type: iptables sets all four so.
        for (var i = 0; i < FlagLimit; i++) info[FlagInfo + (3 * i)] = 0xFF;
        info.Put(Flags, flags);
        info.Put(Inverted, inverted);
    }

    /// <summary>Ports alone, where there is nothing else; null else.</summary>
    internal static PortMatch? ReadPorts(ReadOnlySpan<byte> info)
    {
        var (flags, inverted) = (info.U32(Flags), info.U32(Inverted));
        if ((flags & ~(HasSource | HasDestination)) != 0 || (inverted & ~flags) != 0 || info[Chunks..FlagInfo].ContainsAnyExcept((byte)0)) return null;
        return new PortMatch(
            (flags & HasSource) == 0 ? null : PortRange.Read(info, 4, (inverted & HasSource) != 0),
            (flags & HasDestination) == 0 ? null : PortRange.Read(info, 0, (inverted & HasDestination) != 0));
    }

    private static void Print(SctpMatch match, IptablesArguments text)
    {
        PortRange.Print("--sport", match.Source, text);
        PortRange.Print("--dport", match.Destination, text);
        if (match.ChunkTypes is { } chunks) text.Not(chunks.Negated).Add($"--chunk-types {chunks}");
    }
}
