namespace KubeProxy.Ipvs;

/// <summary>A virtual service as it is configured. Compared by value; what the kernel counts is in <see cref="VirtualServiceState"/>.</summary>
public sealed record VirtualService
{
    /// <summary>What identifies it.</summary>
    public required VirtualServiceKey Key { get; init; }

    /// <summary>The name of the scheduler, 1 to 15 characters, as of the kernel's module <c>ip_vs_NAME</c>; see <see cref="SchedulerNames"/>.</summary>
    public required string Scheduler { get; init; }

    /// <summary>What is special about it.</summary>
    public VirtualServiceFlags Flags { get; init; }

    /// <summary>
    /// How long a client stays with its destination after its last connection, in whole seconds, at least 1; null when the service
    /// is not persistent (<c>IPVS_SVC_ATTR_TIMEOUT</c> and <c>IP_VS_SVC_F_PERSISTENT</c>).
    /// </summary>
    public TimeSpan? Persistence { get; init; }

    /// <summary>
    /// How many leading bits of the source address tell clients apart: 1 to 32, or 1 to 128 for IPv6; null for all
    /// (<c>IPVS_SVC_ATTR_NETMASK</c>).
    /// </summary>
    public int? PersistencePrefixLength { get; init; }

    /// <summary>The persistence engine, for example <c>sip</c> (module <c>ip_vs_pe_sip</c>); null for none.</summary>
    public string? PersistenceEngine { get; init; }
}

/// <summary>Flags of a virtual service (<c>IP_VS_SVC_F_*</c>, linux/ip_vs.h). Persistence has a property of its own.</summary>
[Flags]
public enum VirtualServiceFlags
{
    /// <summary>No flag.</summary>
    None = 0,

    /// <summary>Every datagram of UDP is balanced by itself.</summary>
    OnePacket = 0x4, // IP_VS_SVC_F_ONEPACKET

    /// <summary>Of schedulers <c>sh</c> and <c>mh</c>: a client whose destination has no capacity gets another.</summary>
    Fallback = 0x8, // IP_VS_SVC_F_SCHED1, IP_VS_SVC_F_SCHED_SH_FALLBACK, IP_VS_SVC_F_SCHED_MH_FALLBACK

    /// <summary>Of schedulers <c>sh</c> and <c>mh</c>: the source port is hashed too.</summary>
    HashPort = 0x10, // IP_VS_SVC_F_SCHED2, IP_VS_SVC_F_SCHED_SH_PORT, IP_VS_SVC_F_SCHED_MH_PORT

    /// <summary>A third flag, for schedulers that have one.</summary>
    Scheduler3 = 0x20, // IP_VS_SVC_F_SCHED3
}

/// <summary>Names of the kernel's schedulers (net/netfilter/ipvs/ip_vs_*.c).</summary>
public static class SchedulerNames
{
    /// <summary>Round robin.</summary>
    public const string RoundRobin = "rr";

    /// <summary>Weighted round robin.</summary>
    public const string WeightedRoundRobin = "wrr";

    /// <summary>Least connections.</summary>
    public const string LeastConnection = "lc";

    /// <summary>Weighted least connections, ipvsadm's default.</summary>
    public const string WeightedLeastConnection = "wlc";

    /// <summary>Hash of the source address.</summary>
    public const string SourceHashing = "sh";

    /// <summary>Hash of the destination address.</summary>
    public const string DestinationHashing = "dh";

    /// <summary>Maglev hashing.</summary>
    public const string MaglevHashing = "mh";

    /// <summary>Shortest expected delay.</summary>
    public const string ShortestExpectedDelay = "sed";

    /// <summary>Never queue.</summary>
    public const string NeverQueue = "nq";
}
