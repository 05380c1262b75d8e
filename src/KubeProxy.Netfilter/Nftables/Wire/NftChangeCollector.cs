using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>
/// Puts notifications together: those of one commit come one after the other and end with NEWGEN. A commit's notifications all
/// bear the port id of who sent it.
/// </summary>
internal sealed class NftChangeCollector(uint? ownPortId)
{
    private readonly HashSet<NftTableKey> _tables = [];
    private readonly HashSet<NftTableKey> _changedTables = [];
    private readonly HashSet<NftChainChange> _chains = [];

    /// <summary>After lost notifications.</summary>
    public NftChange Overflow()
    {
        Clear();
        return new NftChange(NftChangeKind.Lost, null);
    }

    /// <summary>Reads a datagram; adds the changes that are complete with it.</summary>
    public void Read(NlMessages messages, List<NftChange> changes)
    {
        try
        {
            foreach (var message in messages)
            {
                if (message.Header.Type >> 8 != (int)NfSubsystem.Nftables) continue;
                var kind = (NftMessage)(byte)message.Header.Type;
                if (kind == NftMessage.NewGen) changes.Add(Commit(message));
                else if (message.Header.PortId != ownPortId && Table(message, kind) is { } table) Touch(table, message, kind);
            }
        }
        catch (NetlinkFormatException)
        {
            // Not understood is like not heard.
            changes.Add(Overflow());
        }
    }

    private void Touch(NftTableKey table, NlMessage message, NftMessage kind)
    {
        _tables.Add(table);
        if (kind is NftMessage.NewTable or NftMessage.DelTable) _changedTables.Add(table);
        var attributes = message.Attributes(NfGenMessage.Size);
        NlAttribute name;
        if (kind is NftMessage.NewRule or NftMessage.DelRule)
        {
            if (!attributes.TryFind(RuleAttribute.Chain, out name)) return;
        }
        else if (kind is not (NftMessage.NewChain or NftMessage.DelChain) || !attributes.TryFind(ChainAttribute.Name, out name))
        {
            return;
        }

        _chains.Add(new NftChainChange(new NftChainKey(table, name.Text()), kind is NftMessage.DelRule or NftMessage.DelChain));
    }

    private NftChange Commit(NlMessage message)
    {
        uint? generation = null, process = null;
        string? name = null;
        foreach (var attribute in message.Attributes(NfGenMessage.Size))
        {
            switch (attribute.As<GenerationAttribute>())
            {
                case GenerationAttribute.Id: generation = attribute.U32BigEndian(); break;
                case GenerationAttribute.ProcessId: process = attribute.U32BigEndian(); break;
                case GenerationAttribute.ProcessName: name = attribute.Text(); break;
            }
        }

        if (message.Header.PortId == ownPortId) return new NftChange(NftChangeKind.Own, generation) { ProcessId = (int?)process, ProcessName = name };
        var change = new NftChange(NftChangeKind.Foreign, generation)
        {
            Tables = [.. _tables], ChangedTables = [.. _changedTables], Chains = [.. _chains], ProcessId = (int?)process, ProcessName = name,
        };
        Clear();
        return change;
    }

    private void Clear()
    {
        _tables.Clear();
        _changedTables.Clear();
        _chains.Clear();
    }

    /// <summary>The table that an object belongs to: every kind of object has its table's name in attribute 1.</summary>
    private static NftTableKey? Table(NlMessage message, NftMessage kind)
    {
        var isObject = kind is NftMessage.NewTable or NftMessage.DelTable or NftMessage.NewChain or NftMessage.DelChain
            or NftMessage.NewRule or NftMessage.DelRule or NftMessage.NewSet or NftMessage.DelSet
            or NftMessage.NewSetElem or NftMessage.DelSetElem or NftMessage.NewObj or NftMessage.DelObj
            or NftMessage.NewFlowtable or NftMessage.DelFlowtable;
        if (!isObject || !message.Attributes(NfGenMessage.Size).TryFind(TableAttribute.Name, out var name)) return null;
        return new NftTableKey((NftFamily)NfGenMessage.Read(message).Family, name.Text());
    }
}
