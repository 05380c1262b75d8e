using KubeProxy.Netfilter.Nftables.Validation;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>Which operation a message belongs to, and from which element on.</summary>
internal readonly record struct NftMessageOrigin(int Operation, int FirstElement, bool HasElements);

/// <summary>
/// Writes a transaction as one nfnetlink batch and remembers where each message came from. What cannot be written is left out, and
/// named: the batch is worth something only if there is no such thing.
/// </summary>
internal sealed class NftBatchEncoder(NlMsgWriter writer)
{
    private static readonly NftMessageOrigin None = new(-1, 0, false);

    private readonly List<NftMessageOrigin> _origins = [];
    private readonly List<NftFailure> _failures = [];
    private uint _nextSetId = 1;
    private NftMessageOrigin _current = None;

    /// <summary>The origin of each message, by its index in the batch.</summary>
    public IReadOnlyList<NftMessageOrigin> Origins => _origins;

    /// <summary>What is wrong with the transaction.</summary>
    public IReadOnlyList<NftFailure> Failures => _failures;

    public void Encode(NftTransaction transaction)
    {
        writer.PutBatchBegin(NfSubsystem.Nftables, NfNetlink.AnyGeneration);
        _origins.Add(None);
        for (var i = 0; i < transaction.Operations.Count; i++)
        {
            var operation = transaction.Operations[i];
            _current = new NftMessageOrigin(i, 0, false);
            if (NftOperationCheck.Problem(operation) is { } problem) _failures.Add(NftFailures.OfCheck(i, null, problem, operation));
            else Encode(operation);
        }

        writer.PutBatchEnd(NfSubsystem.Nftables);
        _origins.Add(None);
    }

    private void Encode(NftOperation operation)
    {
        switch (operation)
        {
            case NftOperation.AddTable add: AddTable(add.Table); break;
            case NftOperation.DeleteTable delete: Table(NftMessage.DelTable, delete.Table); break;
            case NftOperation.AddChain add: AddChain(add.Chain); break;
            case NftOperation.DeleteChain delete: Chain(NftMessage.DelChain, delete.Chain); break;
            case NftOperation.FlushChain flush: Rule(NftMessage.DelRule, NlMsgFlags.None, flush.Chain); break;
            case NftOperation.AddSet add: AddSet(add.Set, isAnonymous: false); break;
            case NftOperation.DeleteSet delete: DeleteSet(delete.Set); break;
            case NftOperation.FlushSet flush: ElementList(NftMessage.DelSetElem, NlMsgFlags.None, flush.Set, null); break;
            case NftOperation.AddRule add: Rule(add.Chain, add.Rule, NlMsgFlags.Create | NlMsgFlags.Append, null); break;
            case NftOperation.InsertRule insert: Rule(insert.Chain, insert.Rule, NlMsgFlags.Create, insert.Before); break;
            case NftOperation.DeleteRule delete:
                Rule(NftMessage.DelRule, NlMsgFlags.None, delete.Chain);
                writer.PutU64BigEndian(RuleAttribute.Handle, delete.Handle);
                break;
            case NftOperation.AddObject add: AddObject(add.Object); break;
            case NftOperation.DeleteObject delete: DeleteObject(delete.Object); break;
            case NftOperation.AddFlowtable add:
                Flowtable(NftMessage.NewFlowtable, NlMsgFlags.Create, add.Flowtable.Key);
                NftUnknown.Write(writer, add.Flowtable.Attributes);
                break;
            case NftOperation.DeleteFlowtable delete: Flowtable(NftMessage.DelFlowtable, NlMsgFlags.None, delete.Flowtable); break;
            case NftOperation.AddElements add: Elements(operation, add.Set, add.Elements, isDelete: false); break;
            case NftOperation.DeleteElements delete: Elements(operation, delete.Set, delete.Elements, isDelete: true); break;
            default: throw new ArgumentException($"{operation} cannot be encoded.", nameof(operation));
        }
    }

    private void AddTable(NftTable table)
    {
        Begin(NftMessage.NewTable, NlMsgFlags.Create, table.Key.Family);
        writer.PutString(TableAttribute.Name, table.Key.Name);
        writer.PutU32BigEndian(TableAttribute.Flags, (uint)table.Flags);
        PutComment(TableAttribute.Userdata, NftUserdata.TableComment, table.Comment);
        NftUnknown.Write(writer, table.Unknown);
    }

    private void Table(NftMessage message, NftTableKey table)
    {
        Begin(message, NlMsgFlags.None, table.Family);
        writer.PutString(TableAttribute.Name, table.Name);
    }

    private void AddChain(NftChain chain)
    {
        Chain(NftMessage.NewChain, chain.Key, NlMsgFlags.Create);
        if (chain.Base is { } hook)
        {
#pragma warning disable CA1308 // nf_tables has its chain types in lower case.
            writer.PutString(ChainAttribute.Type, hook.Type.ToString().ToLowerInvariant());
#pragma warning restore CA1308
            writer.PutU32BigEndian(ChainAttribute.Policy, hook.DropByDefault ? 0u : 1u); // NF_DROP, NF_ACCEPT
            using var nest = writer.BeginNested(ChainAttribute.Hook);
            writer.PutU32BigEndian(HookAttribute.Number, NftHooks.Number(chain.Key.Table.Family, hook.Hook) ?? (uint)hook.Hook);
            writer.PutU32BigEndian(HookAttribute.Priority, (uint)hook.Priority);
            if (hook.Devices is [var device]) writer.PutString(HookAttribute.Device, device);
            else if (!hook.Devices.IsEmpty) PutDevices(hook.Devices);
        }

        if (chain.Offload) writer.PutU32BigEndian(ChainAttribute.Flags, NftProtocol.ChainOffload);
        NftUnknown.Write(writer, chain.Unknown);

        PutComment(ChainAttribute.Userdata, NftUserdata.ChainComment, chain.Comment);
    }

    private void PutDevices(System.Collections.Immutable.ImmutableArray<string> devices)
    {
        using var list = writer.BeginNested(HookAttribute.Devices);
        foreach (var device in devices) writer.PutString(DeviceAttribute.Name, device);
    }

    private void AddObject(NftObject item)
    {
        Begin(NftMessage.NewObj, NlMsgFlags.Create, item.Key.Table.Family);
        NftObjectCodec.Write(writer, item);
        PutComment(ObjectAttribute.Userdata, NftUserdata.ObjectComment, item.Comment);
    }

    private void DeleteObject(NftObjectKey key)
    {
        Begin(NftMessage.DelObj, NlMsgFlags.None, key.Table.Family);
        NftObjectCodec.WriteKey(writer, key);
    }

    private void Flowtable(NftMessage message, NlMsgFlags flags, NftFlowtableKey key)
    {
        Begin(message, flags, key.Table.Family);
        NftFlowtableCodec.WriteKey(writer, key);
    }

    private void Chain(NftMessage message, NftChainKey chain, NlMsgFlags flags = NlMsgFlags.None)
    {
        Begin(message, flags, chain.Table.Family);
        writer.PutString(ChainAttribute.Table, chain.Table.Name);
        writer.PutString(ChainAttribute.Name, chain.Name);
    }

    private uint AddSet(NftSet set, bool isAnonymous)
    {
        var id = _nextSetId++;
        Begin(NftMessage.NewSet, NlMsgFlags.Create, set.Key.Table.Family);
        NftSetEncoder.Write(writer, set, id, isAnonymous);
        return id;
    }

    private void DeleteSet(NftSetKey set)
    {
        Begin(NftMessage.DelSet, NlMsgFlags.None, set.Table.Family);
        writer.PutString(SetAttribute.Table, set.Table.Name);
        writer.PutString(SetAttribute.Name, set.Name);
    }

    private void Rule(NftChainKey chain, NftRule rule, NlMsgFlags flags, ulong? before)
    {
        var anonymous = new Queue<NftSetReference>();
        foreach (var (set, elements) in NftAnonymousSets.Of(chain.Table, rule))
        {
            var id = AddSet(set, isAnonymous: true);
            AnonymousElements(set, elements.Items, id);
            anonymous.Enqueue(new NftSetReference(set.Key.Name, id));
        }

        Rule(NftMessage.NewRule, flags, chain);
        if (before is { } handle) writer.PutU64BigEndian(RuleAttribute.Position, handle);
        using (writer.BeginNested(RuleAttribute.Expressions))
            new NftRuleEncoder(writer, chain.Table.Family, anonymous).Encode(rule);
        NftCompatEncoder.Write(writer, rule);
        PutComment(RuleAttribute.Userdata, NftUserdata.RuleComment, rule.Comment);
    }

    private void Rule(NftMessage message, NlMsgFlags flags, NftChainKey chain)
    {
        Begin(message, flags, chain.Table.Family);
        writer.PutString(RuleAttribute.Table, chain.Table.Name);
        writer.PutString(RuleAttribute.Chain, chain.Name);
    }

    private void Elements(NftOperation operation, NftSet set, IReadOnlyList<NftElement> elements, bool isDelete)
    {
        var check = new NftElementCheck(set, adding: !isDelete);
        for (var start = 0; start < elements.Count;)
        {
            _current = _current with { FirstElement = start, HasElements = true };
            ElementList(isDelete ? NftMessage.DelSetElem : NftMessage.NewSetElem, isDelete ? NlMsgFlags.None : NlMsgFlags.Create, set.Key, null);
            start += NftElementEncoder.WriteChunk(writer, set, elements, start, isDelete, Accept);
        }

        bool Accept(int index, in NftElement element)
        {
            if (check.Problem(element) is not { } problem) return true;
            _failures.Add(NftFailures.OfCheck(_current.Operation, index, problem, operation));
            return false;
        }
    }

    // They are no elements of the operation, and were checked with the rule.
    private void AnonymousElements(NftSet set, IReadOnlyList<NftElement> elements, uint id)
    {
        for (var start = 0; start < elements.Count;)
        {
            ElementList(NftMessage.NewSetElem, NlMsgFlags.Create, set.Key, id);
            start += NftElementEncoder.WriteChunk(writer, set, elements, start, isDelete: false, accept: null);
        }
    }

    private void ElementList(NftMessage message, NlMsgFlags flags, NftSetKey set, uint? id)
    {
        Begin(message, flags, set.Table.Family);
        writer.PutString(ElementListAttribute.Table, set.Table.Name);
        writer.PutString(ElementListAttribute.Set, set.Name);
        if (id is { } number) writer.PutU32BigEndian(ElementListAttribute.SetId, number);
    }

    private void PutComment<TAttribute>(TAttribute attribute, byte type, string? comment) where TAttribute : unmanaged, Enum
    {
        if (comment is null) return;
        var userdata = new NftUserdataWriter();
        userdata.Put(type, comment);
        writer.PutBytes(attribute, userdata.Written);
    }

    private void Begin(NftMessage message, NlMsgFlags flags, NftFamily family)
    {
        writer.BeginMessage(NfSubsystem.Nftables, (byte)message, NlMsgFlags.Request | flags, (byte)family);
        _origins.Add(_current);
    }
}
