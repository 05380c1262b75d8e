using System.Collections.Immutable;
using System.Runtime.InteropServices;
using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netlink;
using static KubeProxy.Netfilter.Nftables.Wire.NftExpressionValues;

namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>Writes single nf_tables expressions. Registers are given as slots.</summary>
// | NFTA_LIST_ELEM { NFTA_EXPR_NAME, NFTA_EXPR_DATA { attributes of the expression } } |
internal readonly struct NftExpressionWriter(NlMsgWriter writer)
{
    public void Payload(int slot, uint @base, uint offset, int length)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("payload");
        writer.PutU32BigEndian(PayloadAttribute.DestinationRegister, NftRegister.Number(slot));
        writer.PutU32BigEndian(PayloadAttribute.Base, @base);
        writer.PutU32BigEndian(PayloadAttribute.Offset, offset);
        writer.PutU32BigEndian(PayloadAttribute.Length, (uint)length);
    }

    public void SetPayload(int slot, NftFieldLayout field)
    {
        var isIp = field.Family == NftFamily.Ip;
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("payload");
        writer.PutU32BigEndian(PayloadAttribute.SourceRegister, NftRegister.Number(slot));
        writer.PutU32BigEndian(PayloadAttribute.Base, field.Base);
        writer.PutU32BigEndian(PayloadAttribute.Offset, field.Offset);
        writer.PutU32BigEndian(PayloadAttribute.Length, (uint)field.Length);
        writer.PutU32BigEndian(PayloadAttribute.ChecksumType, isIp ? ChecksumInet : ChecksumNone);
        writer.PutU32BigEndian(PayloadAttribute.ChecksumOffset, isIp ? ChecksumOfIp : 0);
        writer.PutU32BigEndian(PayloadAttribute.ChecksumFlags, ChecksumPseudoHeader);
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

    public void Ct(int slot, NftCtKey key)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("ct");
        writer.PutU32BigEndian(CtAttribute.Key, (uint)key);
        writer.PutU32BigEndian(CtAttribute.DestinationRegister, NftRegister.Number(slot));
    }

    public void CtOriginalAddress(int slot, uint key)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("ct");
        writer.PutU32BigEndian(CtAttribute.Key, key);
        writer.PutU32BigEndian(CtAttribute.DestinationRegister, NftRegister.Number(slot));
        writer.PutU8(CtAttribute.Direction, (byte)CtOriginal);
    }

    public void SetCt(NftCtKey key, int slot)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("ct");
        writer.PutU32BigEndian(CtAttribute.Key, (uint)key);
        writer.PutU32BigEndian(CtAttribute.SourceRegister, NftRegister.Number(slot));
    }

    public void FibAddressTypeOf(int slot, NftFibAddress address)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("fib");
        writer.PutU32BigEndian(FibAttribute.Flags, address == NftFibAddress.Saddr ? FibSource : FibDestination);
        writer.PutU32BigEndian(FibAttribute.Result, FibAddressType);
        writer.PutU32BigEndian(FibAttribute.DestinationRegister, NftRegister.Number(slot));
    }

    public void Numgen(int slot, NftNumgen numgen)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("numgen");
        writer.PutU32BigEndian(NumgenAttribute.DestinationRegister, NftRegister.Number(slot));
        writer.PutU32BigEndian(NumgenAttribute.Modulus, numgen.Modulus);
        writer.PutU32BigEndian(NumgenAttribute.Type, numgen.Incremental ? NumgenIncremental : NumgenRandom);
        writer.PutU32BigEndian(NumgenAttribute.Offset, 0);
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
        writer.PutU32BigEndian(HashAttribute.Seed, hash.Seed);
        writer.PutU32BigEndian(HashAttribute.Offset, 0);
        writer.PutU32BigEndian(HashAttribute.Type, HashJenkins);
    }

    public void Compare(int slot, NftOperator @operator, ReadOnlySpan<byte> value)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("cmp");
        writer.PutU32BigEndian(CompareAttribute.SourceRegister, NftRegister.Number(slot));
        writer.PutU32BigEndian(CompareAttribute.Operator, (uint)@operator);
        NftDataCodec.WriteValue(writer, CompareAttribute.Data, value);
    }

    public void Bitwise(int slot, ReadOnlySpan<byte> mask, ReadOnlySpan<byte> xor)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("bitwise");
        writer.PutU32BigEndian(BitwiseAttribute.SourceRegister, NftRegister.Number(slot));
        writer.PutU32BigEndian(BitwiseAttribute.DestinationRegister, NftRegister.Number(slot));
        writer.PutU32BigEndian(BitwiseAttribute.Operation, BitwiseMaskXor);
        writer.PutU32BigEndian(BitwiseAttribute.Length, (uint)mask.Length);
        NftDataCodec.WriteValue(writer, BitwiseAttribute.Mask, mask);
        NftDataCodec.WriteValue(writer, BitwiseAttribute.Xor, xor);
    }

    public void Bitwise(int slot, uint mask, uint xor) => Bitwise(
        slot, MemoryMarshal.AsBytes(new ReadOnlySpan<uint>(in mask)), MemoryMarshal.AsBytes(new ReadOnlySpan<uint>(in xor)));

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

    public void Verdict(NftVerdict verdict)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("immediate");
        writer.PutU32BigEndian(ImmediateAttribute.DestinationRegister, NftRegister.Verdict);
        NftDataCodec.WriteVerdict(writer, ImmediateAttribute.Data, verdict);
    }

    /// <param name="ipv6">The family of the address.</param>
    /// <param name="address">The slot of the address.</param>
    /// <param name="port">The slot of the port; null for none.</param>
    /// <param name="isConstantPort">The port is a constant, which nft says in the flags.</param>
    public void Dnat(bool ipv6, int address, int? port, bool isConstantPort)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("nat");
        writer.PutU32BigEndian(NatAttribute.Type, DestinationNat);
        writer.PutU32BigEndian(NatAttribute.Family, (uint)(ipv6 ? NftFamily.Ip6 : NftFamily.Ip));
        writer.PutU32BigEndian(NatAttribute.AddressMin, NftRegister.Number(address));
        if (port is { } slot) writer.PutU32BigEndian(NatAttribute.ProtoMin, NftRegister.Number(slot));
        if (isConstantPort) writer.PutU32BigEndian(NatAttribute.Flags, RangeProto);
    }

    public void Masquerade(bool fullyRandom)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("masq");
        if (fullyRandom) writer.PutU32BigEndian(MasqueradeAttribute.Flags, RangeFullyRandom);
    }

    public void Redirect(int port)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("redir");
        writer.PutU32BigEndian(RedirectAttribute.ProtoMin, NftRegister.Number(port));
        writer.PutU32BigEndian(RedirectAttribute.Flags, RangeProto);
    }

    public void Tproxy(bool ipv6, int address, int port)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("tproxy");
        writer.PutU32BigEndian(TproxyAttribute.Family, (uint)(ipv6 ? NftFamily.Ip6 : NftFamily.Ip));
        writer.PutU32BigEndian(TproxyAttribute.Address, NftRegister.Number(address));
        writer.PutU32BigEndian(TproxyAttribute.Port, NftRegister.Number(port));
    }

    public void TransparentSocket(int slot)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("socket");
        writer.PutU32BigEndian(SocketAttribute.Key, SocketTransparent);
        writer.PutU32BigEndian(SocketAttribute.DestinationRegister, NftRegister.Number(slot));
    }

    public void Reject(uint type, byte code)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("reject");
        writer.PutU32BigEndian(RejectAttribute.Type, type);
        writer.PutU8(RejectAttribute.Code, code);
    }

    public void Counter(NftCounter counter)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("counter");
        writer.PutU64BigEndian(CounterAttribute.Bytes, counter.Bytes);
        writer.PutU64BigEndian(CounterAttribute.Packets, counter.Packets);
    }

    public void Log(string prefix)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("log");
        if (prefix.Length > 0) writer.PutString(LogAttribute.Prefix, prefix);
    }

    public void Dynset(NftDynset dynset, int key, int? value)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("dynset");
        writer.PutU32BigEndian(DynsetAttribute.KeyRegister, NftRegister.Number(key));
        writer.PutU32BigEndian(DynsetAttribute.Operation, (uint)dynset.Operation);
        if (value is { } slot) writer.PutU32BigEndian(DynsetAttribute.DataRegister, NftRegister.Number(slot));
        writer.PutString(DynsetAttribute.SetName, dynset.Set);
        if (dynset.Timeout is { } timeout) writer.PutU64BigEndian(DynsetAttribute.Timeout, (ulong)timeout.TotalMilliseconds);
    }

    public void Opaque(string name, ImmutableArray<byte> attributes)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        writer.PutString(ExpressionAttribute.Name, name);
        // Already attributes, so it is marked as such and copied whole.
        writer.PutBytes((ExpressionAttribute)((ushort)ExpressionAttribute.Data | 0x8000), attributes.AsSpan());
    }

    private NlNest Begin(string name)
    {
        writer.PutString(ExpressionAttribute.Name, name);
        return writer.BeginNested(ExpressionAttribute.Data);
    }
}

/// <summary>A set in an expression: by name, or by the id that it has within a transaction.</summary>
internal readonly record struct NftSetReference(string Name, uint? Id = null);
