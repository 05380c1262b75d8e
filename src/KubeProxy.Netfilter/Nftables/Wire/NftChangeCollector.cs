using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>
/// Puts notifications together: those of one commit come one after the other and end with NEWGEN. A commit's notifications all
/// bear the port id of who sent it.
/// </summary>
internal sealed class NftChangeCollector(uint? ownPortId)
{
    private readonly HashSet<NftTableKey> _tables = [];

    /// <summary>After lost notifications.</summary>
    public NftChange Overflow()
    {
        _tables.Clear();
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
                else if (message.Header.PortId != ownPortId && Table(message, kind) is { } table) _tables.Add(table);
            }
        }
        catch (NetlinkFormatException)
        {
            // Not understood is like not heard.
            changes.Add(Overflow());
        }
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
        var change = new NftChange(NftChangeKind.Foreign, generation) { Tables = [.. _tables], ProcessId = (int?)process, ProcessName = name };
        _tables.Clear();
        return change;
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
