using System.Runtime.InteropServices;
using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netlink;
using static KubeProxy.Netfilter.Nftables.Wire.NftExpressionValues;

namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>Writes single nf_tables expressions. Registers are given as slots.</summary>
// | NFTA_LIST_ELEM { NFTA_EXPR_NAME, NFTA_EXPR_DATA { attributes of the expression } } |
internal readonly partial struct NftExpressionWriter(NlMsgWriter writer)
{
    public void Payload(int slot, NftPayloadBase @base, int offset, int length)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("payload");
        writer.PutU32BigEndian(PayloadAttribute.DestinationRegister, NftRegister.Number(slot));
        writer.PutU32BigEndian(PayloadAttribute.Base, (uint)@base);
        writer.PutU32BigEndian(PayloadAttribute.Offset, (uint)offset);
        writer.PutU32BigEndian(PayloadAttribute.Length, (uint)length);
    }

    public void SetPayload(int slot, NftLoaded.Packet bytes, NftChecksums checksums)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("payload");
        writer.PutU32BigEndian(PayloadAttribute.SourceRegister, NftRegister.Number(slot));
        writer.PutU32BigEndian(PayloadAttribute.Base, (uint)bytes.Base);
        writer.PutU32BigEndian(PayloadAttribute.Offset, (uint)bytes.Offset);
        writer.PutU32BigEndian(PayloadAttribute.Length, (uint)bytes.Length);
        writer.PutU32BigEndian(PayloadAttribute.ChecksumType, checksums.Type);
        writer.PutU32BigEndian(PayloadAttribute.ChecksumOffset, checksums.Offset);
        if (checksums.Transport) writer.PutU32BigEndian(PayloadAttribute.ChecksumFlags, ChecksumPseudoHeader);
    }

    /// <param name="slot">The value.</param>
    /// <param name="extension">The field.</param>
    /// <param name="length">How many bytes, from the one on in which it begins.</param>
    public void Exthdr(int slot, NftExtension extension, int length)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("exthdr");
        writer.PutU32BigEndian(ExthdrAttribute.DestinationRegister, NftRegister.Number(slot));
        writer.PutU8(ExthdrAttribute.Type, extension.Type);
        writer.PutU32BigEndian(ExthdrAttribute.Offset, (uint)extension.BitOffset / 8);
        writer.PutU32BigEndian(ExthdrAttribute.Length, (uint)length);
        writer.PutU32BigEndian(ExthdrAttribute.Operation, (uint)extension.Kind);
        if (extension.IsPresence) writer.PutU32BigEndian(ExthdrAttribute.Flags, ExthdrPresent);
    }

    public void SetExthdr(int slot, NftExtension extension)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("exthdr");
        writer.PutU32BigEndian(ExthdrAttribute.SourceRegister, NftRegister.Number(slot));
        writer.PutU8(ExthdrAttribute.Type, extension.Type);
        writer.PutU32BigEndian(ExthdrAttribute.Offset, (uint)extension.BitOffset / 8);
        writer.PutU32BigEndian(ExthdrAttribute.Length, (uint)extension.BitLength / 8);
        writer.PutU32BigEndian(ExthdrAttribute.Operation, (uint)extension.Kind);
    }

    public void ResetTcpOption(byte option)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("exthdr");
        writer.PutU8(ExthdrAttribute.Type, option);
        writer.PutU32BigEndian(ExthdrAttribute.Operation, (uint)NftExtensionKind.TcpOption);
    }

    public void Meta(int slot, NftMetaKey key)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("meta");
        writer.PutU32BigEndian(MetaAttribute.Key, (uint)key);
        writer.PutU32BigEndian(MetaAttribute.DestinationRegister, NftRegister.Number(slot));
    }

    public void SetMeta(NftMetaKey key, int slot)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("meta");
        writer.PutU32BigEndian(MetaAttribute.Key, (uint)key);
        writer.PutU32BigEndian(MetaAttribute.SourceRegister, NftRegister.Number(slot));
    }

    public void Ct(int slot, NftCt ct)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("ct");
        writer.PutU32BigEndian(CtAttribute.Key, (uint)ct.Key);
        writer.PutU32BigEndian(CtAttribute.DestinationRegister, NftRegister.Number(slot));
        if (ct.Direction is { } direction) writer.PutU8(CtAttribute.Direction, (byte)direction);
    }

    public void SetCt(NftCtKey key, NftCtDirection? direction, int slot)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("ct");
        writer.PutU32BigEndian(CtAttribute.Key, (uint)key);
        writer.PutU32BigEndian(CtAttribute.SourceRegister, NftRegister.Number(slot));
        if (direction is { } of) writer.PutU8(CtAttribute.Direction, (byte)of);
    }

    public void Rt(int slot, NftRtKey key)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("rt");
        writer.PutU32BigEndian(RtAttribute.Key, (uint)key);
        writer.PutU32BigEndian(RtAttribute.DestinationRegister, NftRegister.Number(slot));
    }

    public void Socket(int slot, NftSocket socket)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("socket");
        writer.PutU32BigEndian(SocketAttribute.Key, (uint)socket.Key);
        writer.PutU32BigEndian(SocketAttribute.DestinationRegister, NftRegister.Number(slot));
        if (socket.Key == NftSocketKey.CgroupV2) writer.PutU32BigEndian(SocketAttribute.Level, socket.Level);
    }

    public void Osf(int slot, NftOsf osf)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("osf");
        writer.PutU32BigEndian(OsfAttribute.DestinationRegister, NftRegister.Number(slot));
        writer.PutU8(OsfAttribute.Ttl, osf.Ttl);
        if (osf.Version) writer.PutU32BigEndian(OsfAttribute.Flags, OsfVersion);
    }

    public void Xfrm(int slot, NftIpsec ipsec)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("xfrm");
        writer.PutU32BigEndian(XfrmAttribute.DestinationRegister, NftRegister.Number(slot));
        writer.PutU32BigEndian(XfrmAttribute.Key, (uint)ipsec.Key);
        writer.PutU8(XfrmAttribute.Direction, ipsec.IsOut ? (byte)1 : (byte)0);
        writer.PutU32BigEndian(XfrmAttribute.Number, ipsec.Number);
    }

    public void Fib(int slot, NftFib fib)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("fib");
        writer.PutU32BigEndian(FibAttribute.Flags, (uint)fib.Flags);
        writer.PutU32BigEndian(FibAttribute.Result, (uint)fib.Result);
        writer.PutU32BigEndian(FibAttribute.DestinationRegister, NftRegister.Number(slot));
    }

    public void Numgen(int slot, NftNumgen numgen)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("numgen");
        writer.PutU32BigEndian(NumgenAttribute.DestinationRegister, NftRegister.Number(slot));
        writer.PutU32BigEndian(NumgenAttribute.Modulus, numgen.Modulus);
        writer.PutU32BigEndian(NumgenAttribute.Type, numgen.Incremental ? NumgenIncremental : NumgenRandom);
        writer.PutU32BigEndian(NumgenAttribute.Offset, numgen.Offset);
    }

    /// <param name="slot">The hash.</param>
    /// <param name="source">What is hashed.</param>
    /// <param name="length">How many bytes.</param>
    /// <param name="hash">How.</param>
    public void Jhash(int slot, int source, int length, NftJhash hash)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("hash");
        writer.PutU32BigEndian(HashAttribute.SourceRegister, NftRegister.Number(source));
        writer.PutU32BigEndian(HashAttribute.DestinationRegister, NftRegister.Number(slot));
        writer.PutU32BigEndian(HashAttribute.Length, (uint)length);
        writer.PutU32BigEndian(HashAttribute.Modulus, hash.Modulus);
        if (hash.Seed is { } seed) writer.PutU32BigEndian(HashAttribute.Seed, seed);
        writer.PutU32BigEndian(HashAttribute.Offset, hash.Offset);
        writer.PutU32BigEndian(HashAttribute.Type, HashJenkins);
    }

    public void Symhash(int slot, NftSymhash hash)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("hash");
        writer.PutU32BigEndian(HashAttribute.DestinationRegister, NftRegister.Number(slot));
        writer.PutU32BigEndian(HashAttribute.Modulus, hash.Modulus);
        writer.PutU32BigEndian(HashAttribute.Offset, hash.Offset);
        writer.PutU32BigEndian(HashAttribute.Type, HashSymmetric);
    }

    public void Compare(int slot, NftOperator @operator, ReadOnlySpan<byte> value)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("cmp");
        writer.PutU32BigEndian(CompareAttribute.SourceRegister, NftRegister.Number(slot));
        writer.PutU32BigEndian(CompareAttribute.Operator, (uint)@operator);
        NftDataCodec.WriteValue(writer, CompareAttribute.Data, value);
    }

    public void NotInRange(int slot, ReadOnlySpan<byte> from, ReadOnlySpan<byte> to)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("range");
        writer.PutU32BigEndian(RangeAttribute.SourceRegister, NftRegister.Number(slot));
        writer.PutU32BigEndian(RangeAttribute.Operator, (uint)NftOperator.NotEqual);
        NftDataCodec.WriteValue(writer, RangeAttribute.From, from);
        NftDataCodec.WriteValue(writer, RangeAttribute.To, to);
    }

    public void Byteorder(int slot, int length)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("byteorder");
        writer.PutU32BigEndian(ByteorderAttribute.SourceRegister, NftRegister.Number(slot));
        writer.PutU32BigEndian(ByteorderAttribute.DestinationRegister, NftRegister.Number(slot));
        writer.PutU32BigEndian(ByteorderAttribute.Operation, ByteorderHton);
        writer.PutU32BigEndian(ByteorderAttribute.Length, (uint)length);
        writer.PutU32BigEndian(ByteorderAttribute.Size, (uint)length);
    }

    public void Bitwise(int slot, NftData mask, NftData xor)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("bitwise");
        writer.PutU32BigEndian(BitwiseAttribute.SourceRegister, NftRegister.Number(slot));
        writer.PutU32BigEndian(BitwiseAttribute.DestinationRegister, NftRegister.Number(slot));
        writer.PutU32BigEndian(BitwiseAttribute.Operation, BitwiseMaskXor);
        writer.PutU32BigEndian(BitwiseAttribute.Length, (uint)mask.Length);
        NftDataCodec.WriteValue(writer, BitwiseAttribute.Mask, mask.Span);
        NftDataCodec.WriteValue(writer, BitwiseAttribute.Xor, xor.Span);
    }

    public void Shift(int slot, int length, bool isLeft, uint bits)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("bitwise");
        writer.PutU32BigEndian(BitwiseAttribute.SourceRegister, NftRegister.Number(slot));
        writer.PutU32BigEndian(BitwiseAttribute.DestinationRegister, NftRegister.Number(slot));
        writer.PutU32BigEndian(BitwiseAttribute.Operation, isLeft ? BitwiseLeft : BitwiseRight);
        writer.PutU32BigEndian(BitwiseAttribute.Length, (uint)length);
        NftDataCodec.WriteValue(writer, BitwiseAttribute.Data, MemoryMarshal.AsBytes(new ReadOnlySpan<uint>(in bits)));
    }

    /// <param name="slot">The key.</param>
    /// <param name="set">The set, by name or, within a transaction, by id.</param>
    /// <param name="destination">The register number for the data; null for a set.</param>
    /// <param name="inverted">Match when the set does not have the key.</param>
    public void Lookup(int slot, NftSetReference set, uint? destination, bool inverted)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("lookup");
        writer.PutU32BigEndian(LookupAttribute.SourceRegister, NftRegister.Number(slot));
        if (destination is { } register) writer.PutU32BigEndian(LookupAttribute.DestinationRegister, register);
        writer.PutString(LookupAttribute.Set, set.Name);
        if (set.Id is { } id) writer.PutU32BigEndian(LookupAttribute.SetId, id);
        if (inverted) writer.PutU32BigEndian(LookupAttribute.Flags, LookupInverted);
    }

    public void Immediate(int slot, ReadOnlySpan<byte> value)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("immediate");
        writer.PutU32BigEndian(ImmediateAttribute.DestinationRegister, NftRegister.Number(slot));
        NftDataCodec.WriteValue(writer, ImmediateAttribute.Data, value);
    }

    private NlNest Begin(string name)
    {
        writer.PutString(ExpressionAttribute.Name, name);
        return writer.BeginNested(ExpressionAttribute.Data);
    }
}

/// <summary>A set in an expression: by name, or by the id that it has within a transaction.</summary>
internal readonly record struct NftSetReference(string Name, uint? Id = null);
