using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Conntrack;

/// <summary>How full the conntrack table is.</summary>
/// <param name="Entries">Flows in the network namespace.</param>
/// <param name="Limit">The most there may be (<c>net.netfilter.nf_conntrack_max</c>); 0: the kernel (before 5.10) does not say.</param>
public readonly record struct ConntrackUsage(uint Entries, uint Limit)
{
    // nfgenmsg, CTA_STATS_GLOBAL_ENTRIES, CTA_STATS_GLOBAL_MAX_ENTRIES
    internal static ConntrackUsage Decode(NlMessage message)
    {
        uint entries = 0, limit = 0;
        foreach (var attribute in message.Attributes(NfGenMessage.Size))
        {
            switch (attribute.As<CtStatisticsAttribute>())
            {
                case CtStatisticsAttribute.Entries: entries = attribute.U32BigEndian(); break;
                case CtStatisticsAttribute.MaxEntries: limit = attribute.U32BigEndian(); break;
            }
        }

        return new ConntrackUsage(entries, limit);
    }
}

/// <summary>What one CPU counted in the network namespace since it was made; the numbers wrap around after 2^32.</summary>
/// <param name="Cpu">The number of the CPU.</param>
public readonly record struct ConntrackCpuStatistics(int Cpu)
{
    /// <summary>Packets of flows that were there, though not found at first.</summary>
    public uint Found { get; init; }

    /// <summary>Packets that could not be tracked.</summary>
    public uint Invalid { get; init; }

    /// <summary>Flows put into the table.</summary>
    public uint Inserted { get; init; }

    /// <summary>Flows not put into it because another with the same tuple was faster.</summary>
    public uint InsertFailed { get; init; }

    /// <summary>Packets dropped because their flow could not be put into the table: it is full, or memory is short.</summary>
    public uint Dropped { get; init; }

    /// <summary>Flows given up early because the table was full.</summary>
    public uint EarlyDropped { get; init; }

    /// <summary>ICMP errors that could not be told to a flow, and the like.</summary>
    public uint Errors { get; init; }

    /// <summary>Searches begun anew because the table was resized meanwhile.</summary>
    public uint SearchRestarts { get; init; }

    /// <summary>Races of two flows with the same tuple that ended well.</summary>
    public uint ClashesResolved { get; init; }

    /// <summary>Flows not put into the table because the chain of their bucket was too long.</summary>
    public uint ChainTooLong { get; init; }

    // nfgenmsg with the CPU as its resource id, and what is in CtCpuStatisticsAttribute
    internal static ConntrackCpuStatistics Decode(NlMessage message)
    {
        var statistics = new ConntrackCpuStatistics(NfGenMessage.Read(message).ResourceId);
        foreach (var attribute in message.Attributes(NfGenMessage.Size))
        {
            statistics = attribute.As<CtCpuStatisticsAttribute>() switch
            {
                CtCpuStatisticsAttribute.Found => statistics with { Found = attribute.U32BigEndian() },
                CtCpuStatisticsAttribute.Invalid => statistics with { Invalid = attribute.U32BigEndian() },
                CtCpuStatisticsAttribute.Insert => statistics with { Inserted = attribute.U32BigEndian() },
                CtCpuStatisticsAttribute.InsertFailed => statistics with { InsertFailed = attribute.U32BigEndian() },
                CtCpuStatisticsAttribute.Drop => statistics with { Dropped = attribute.U32BigEndian() },
                CtCpuStatisticsAttribute.EarlyDrop => statistics with { EarlyDropped = attribute.U32BigEndian() },
                CtCpuStatisticsAttribute.Error => statistics with { Errors = attribute.U32BigEndian() },
                CtCpuStatisticsAttribute.SearchRestart => statistics with { SearchRestarts = attribute.U32BigEndian() },
                CtCpuStatisticsAttribute.ClashResolve => statistics with { ClashesResolved = attribute.U32BigEndian() },
                CtCpuStatisticsAttribute.ChainTooLong => statistics with { ChainTooLong = attribute.U32BigEndian() },
                _ => statistics,
            };
        }

        return statistics;
    }
}
