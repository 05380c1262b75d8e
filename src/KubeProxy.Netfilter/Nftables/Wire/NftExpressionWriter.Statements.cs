using KubeProxy.Netfilter.Nftables.Rules;
using KubeProxy.Netlink;
using static KubeProxy.Netfilter.Nftables.Wire.NftExpressionValues;

namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>Expressions that end a statement.</summary>
internal readonly partial struct NftExpressionWriter
{
    public void Verdict(NftVerdict verdict)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("immediate");
        writer.PutU32BigEndian(ImmediateAttribute.DestinationRegister, NftRegister.Verdict);
        NftDataCodec.WriteVerdict(writer, ImmediateAttribute.Data, verdict);
    }

    public void Nat(NftNat nat, int? address, int? addressTo, int? port, int? portTo)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin(nat.Kind switch { NftNatKind.Masquerade => "masq", NftNatKind.Redirect => "redir", _ => "nat" });
        var isConstantPort = nat.Port is not (null or NftMapLookup or NftAnonymousMapLookup) || nat.Kind == NftNatKind.Redirect && port is not null;
        var flags = (uint)nat.Flags | (isConstantPort ? RangeProto : 0);
        switch (nat.Kind)
        {
            case NftNatKind.Masquerade:
                Register(MasqueradeAttribute.ProtoMin, port);
                Register(MasqueradeAttribute.ProtoMax, portTo);
                if (flags != 0) writer.PutU32BigEndian(MasqueradeAttribute.Flags, flags);
                break;
            case NftNatKind.Redirect:
                Register(RedirectAttribute.ProtoMin, port);
                Register(RedirectAttribute.ProtoMax, portTo);
                if (flags != 0) writer.PutU32BigEndian(RedirectAttribute.Flags, flags);
                break;
            default:
                writer.PutU32BigEndian(NatAttribute.Type, nat.Kind == NftNatKind.Snat ? SourceNat : DestinationNat);
                writer.PutU32BigEndian(NatAttribute.Family, (uint)(nat.Family ?? NftFamily.Inet));
                Register(NatAttribute.AddressMin, address);
                Register(NatAttribute.AddressMax, addressTo);
                Register(NatAttribute.ProtoMin, port);
                Register(NatAttribute.ProtoMax, portTo);
                if (flags != 0) writer.PutU32BigEndian(NatAttribute.Flags, flags);
                break;
        }
    }

    public void Tproxy(NftFamily? family, int? address, int? port)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("tproxy");
        writer.PutU32BigEndian(TproxyAttribute.Family, (uint)(family ?? 0));
        Register(TproxyAttribute.Address, address);
        Register(TproxyAttribute.Port, port);
    }

    public void Reject(uint type, byte code)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("reject");
        writer.PutU32BigEndian(RejectAttribute.Type, type);
        writer.PutU8(RejectAttribute.Code, code);
    }

    public void Log(NftLog log)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("log");
        if (log.Prefix.Length > 0) writer.PutString(LogAttribute.Prefix, log.Prefix);
        if (log.Group is { } group) writer.PutU16BigEndian(LogAttribute.Group, group);
        if (log.SnapLength is { } length) writer.PutU32BigEndian(LogAttribute.SnapLength, length);
        if (log.QueueThreshold is { } threshold) writer.PutU16BigEndian(LogAttribute.Threshold, threshold);
        if (log.Level is { } level) writer.PutU32BigEndian(LogAttribute.Level, level);
        if (log.Flags != NftLogFlags.None) writer.PutU32BigEndian(LogAttribute.Flags, (uint)log.Flags);
    }

    public void Queue(NftQueue queue)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("queue");
        if (queue.Number is null)
        {
            writer.PutU16BigEndian(QueueAttribute.Number, queue.From);
            writer.PutU16BigEndian(QueueAttribute.Total, (ushort)(queue.To - queue.From + 1));
        }
        else
        {
            writer.PutU32BigEndian(QueueAttribute.NumberRegister, NftRegister.Number(0));
        }

        if (queue.Flags != NftQueueFlags.None) writer.PutU16BigEndian(QueueAttribute.Flags, (ushort)queue.Flags);
    }

    public void Dup(int? address, int? device)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("dup");
        Register(DupAttribute.Address, address);
        Register(DupAttribute.Device, device);
    }

    public void Forward(int device, int? address, NftFamily? family)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("fwd");
        Register(FwdAttribute.Device, device);
        Register(FwdAttribute.Address, address);
        if (family is { } of && address is not null) writer.PutU32BigEndian(FwdAttribute.Family, (uint)of);
    }

    public void Synproxy(NftSynproxy synproxy)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("synproxy");
        NftObjectCodec.WriteSynproxy(writer, synproxy);
    }

    public void FlowOffload(string flowtable)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("flow_offload");
        writer.PutString(FlowOffloadAttribute.Table, flowtable);
    }

    public void ObjectReference(NftObjectKind kind, string name)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("objref");
        writer.PutU32BigEndian(ObjrefAttribute.Type, (uint)kind);
        writer.PutString(ObjrefAttribute.Name, name);
    }

    public void ObjectMap(int slot, NftSetReference map)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("objref");
        writer.PutU32BigEndian(ObjrefAttribute.SetRegister, NftRegister.Number(slot));
        writer.PutString(ObjrefAttribute.SetName, map.Name);
        if (map.Id is { } id) writer.PutU32BigEndian(ObjrefAttribute.SetId, id);
    }

    public void Dynset(NftDynset dynset, NftSetReference set, int key, int? value)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin("dynset");
        writer.PutU32BigEndian(DynsetAttribute.KeyRegister, NftRegister.Number(key));
        writer.PutU32BigEndian(DynsetAttribute.Operation, (uint)dynset.Operation);
        Register(DynsetAttribute.DataRegister, value);
        writer.PutString(DynsetAttribute.SetName, set.Name);
        if (set.Id is { } id) writer.PutU32BigEndian(DynsetAttribute.SetId, id);
        if (dynset.Timeout is { } timeout) writer.PutU64BigEndian(DynsetAttribute.Timeout, (ulong)timeout.TotalMilliseconds);
        if (dynset.Statements.IsEmpty) return;
        writer.PutU32BigEndian(DynsetAttribute.Flags, NftDynsetFlags.Expressions);
        using var list = writer.BeginNested(DynsetAttribute.Expressions);
        foreach (var statement in dynset.Statements) Stateful(statement);
    }

    public void Stateful(NftStateful statement)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        using var data = Begin(NftStatefulCodec.NameOf(statement));
        NftStatefulCodec.Write(writer, statement);
    }

    /// <summary>An expression without attributes.</summary>
    public void Plain(string name)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        writer.PutString(ExpressionAttribute.Name, name);
    }

    /// <summary>An expression as it was read, but for the anonymous set that it looks something up in: that is a new one.</summary>
    public void Opaque(NftOpaque opaque, NftSetReference? set)
    {
        using var element = writer.BeginNested(ListAttribute.Element);
        if (set is not { } reference)
        {
            writer.PutString(ExpressionAttribute.Name, opaque.Name);
            // Already attributes, so it is marked as such and copied whole.
            writer.PutBytes((ExpressionAttribute)((ushort)ExpressionAttribute.Data | 0x8000), opaque.Attributes.AsSpan());
            return;
        }

        using var data = Begin(opaque.Name);
        var isObject = opaque.Name == "objref";
        ushort[] replaced = isObject
            ? [(ushort)ObjrefAttribute.SetName, (ushort)ObjrefAttribute.SetId] : [(ushort)LookupAttribute.Set, (ushort)LookupAttribute.SetId];
        foreach (var attribute in new NlAttributes(opaque.Attributes.AsSpan()))
            if (!replaced.Contains(attribute.Type)) writer.PutBytes((LookupAttribute)attribute.RawType, attribute.Payload);
        writer.PutString((LookupAttribute)replaced[0], reference.Name);
        if (reference.Id is { } id) writer.PutU32BigEndian((LookupAttribute)replaced[1], id);
    }

    private void Register<TAttribute>(TAttribute attribute, int? slot) where TAttribute : unmanaged, Enum
    {
        if (slot is { } number) writer.PutU32BigEndian(attribute, NftRegister.Number(number));
    }
}

/// <summary>Flags of a dynset (<c>enum nft_dynset_flags</c>).</summary>
internal static class NftDynsetFlags
{
    public const uint Expressions = 2; // NFT_DYNSET_F_EXPR
}
