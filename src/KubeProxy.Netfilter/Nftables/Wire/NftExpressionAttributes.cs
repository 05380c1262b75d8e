// Attribute numbers of expressions (linux/netfilter/nf_tables.h).
namespace KubeProxy.Netfilter.Nftables.Wire;

internal enum PayloadAttribute : ushort
{
    DestinationRegister = 1,
    Base = 2,
    Offset = 3,
    Length = 4,
    SourceRegister = 5,
    ChecksumType = 6,
    ChecksumOffset = 7,
    ChecksumFlags = 8,
}

internal enum HashAttribute : ushort
{
    SourceRegister = 1,
    DestinationRegister = 2,
    Length = 3,
    Modulus = 4,
    Seed = 5,
    Offset = 6,
    Type = 7,
}

internal enum MetaAttribute : ushort
{
    DestinationRegister = 1,
    Key = 2,
    SourceRegister = 3,
}

internal enum CtAttribute : ushort
{
    DestinationRegister = 1,
    Key = 2,
    Direction = 3,
    SourceRegister = 4,
}

internal enum FibAttribute : ushort
{
    DestinationRegister = 1,
    Result = 2,
    Flags = 3,
}

internal enum NumgenAttribute : ushort
{
    DestinationRegister = 1,
    Modulus = 2,
    Type = 3,
    Offset = 4,
}

internal enum CompareAttribute : ushort
{
    SourceRegister = 1,
    Operator = 2,
    Data = 3,
}

internal enum BitwiseAttribute : ushort
{
    SourceRegister = 1,
    DestinationRegister = 2,
    Length = 3,
    Mask = 4,
    Xor = 5,
    Operation = 6,
    Data = 7,
}

internal enum LookupAttribute : ushort
{
    Set = 1,
    SourceRegister = 2,
    DestinationRegister = 3,
    SetId = 4,
    Flags = 5,
}

internal enum ImmediateAttribute : ushort
{
    DestinationRegister = 1,
    Data = 2,
}

internal enum NatAttribute : ushort
{
    Type = 1,
    Family = 2,
    AddressMin = 3,
    AddressMax = 4,
    ProtoMin = 5,
    ProtoMax = 6,
    Flags = 7,
}

internal enum MasqueradeAttribute : ushort
{
    Flags = 1,
    ProtoMin = 2,
    ProtoMax = 3,
}

internal enum RedirectAttribute : ushort
{
    ProtoMin = 1,
    ProtoMax = 2,
    Flags = 3,
}

internal enum TproxyAttribute : ushort
{
    Family = 1,
    Address = 2,
    Port = 3,
}

internal enum SocketAttribute : ushort
{
    Key = 1,
    DestinationRegister = 2,
    Level = 3,
}

internal enum ExthdrAttribute : ushort
{
    DestinationRegister = 1,
    Type = 2,
    Offset = 3,
    Length = 4,
    Flags = 5,
    Operation = 6,
    SourceRegister = 7,
}

internal enum RtAttribute : ushort
{
    DestinationRegister = 1,
    Key = 2,
}

internal enum OsfAttribute : ushort
{
    DestinationRegister = 1,
    Ttl = 2,
    Flags = 3,
}

internal enum XfrmAttribute : ushort
{
    DestinationRegister = 1,
    Key = 2,
    Direction = 3,
    Number = 4,
}

internal enum ByteorderAttribute : ushort
{
    SourceRegister = 1,
    DestinationRegister = 2,
    Operation = 3,
    Length = 4,
    Size = 5,
}

internal enum RangeAttribute : ushort
{
    SourceRegister = 1,
    Operator = 2,
    From = 3,
    To = 4,
}

internal enum LimitAttribute : ushort
{
    Rate = 1,
    Unit = 2,
    Burst = 3,
    Type = 4,
    Flags = 5,
}

internal enum QuotaAttribute : ushort
{
    Bytes = 1,
    Flags = 2,
    Consumed = 4,
}

internal enum ConnlimitAttribute : ushort
{
    Count = 1,
    Flags = 2,
}

internal enum LastAttribute : ushort
{
    Set = 1,
    Milliseconds = 2,
}

internal enum QueueAttribute : ushort
{
    Number = 1,
    Total = 2,
    Flags = 3,
    NumberRegister = 4,
}

internal enum DupAttribute : ushort
{
    Address = 1,
    Device = 2,
}

internal enum FwdAttribute : ushort
{
    Device = 1,
    Address = 2,
    Family = 3,
}

internal enum SynproxyAttribute : ushort
{
    Mss = 1,
    WindowScale = 2,
    Flags = 3,
}

internal enum ObjrefAttribute : ushort
{
    Type = 1,
    Name = 2,
    SetRegister = 3,
    SetName = 4,
    SetId = 5,
}

internal enum FlowOffloadAttribute : ushort
{
    Table = 1,
}

internal enum RejectAttribute : ushort
{
    Type = 1,
    Code = 2,
}

internal enum CounterAttribute : ushort
{
    Bytes = 1,
    Packets = 2,
}

internal enum LogAttribute : ushort
{
    Group = 1,
    Prefix = 2,
    SnapLength = 3,
    Threshold = 4,
    Level = 5,
    Flags = 6,
}

internal enum DynsetAttribute : ushort
{
    SetName = 1,
    SetId = 2,
    Operation = 3,
    KeyRegister = 4,
    DataRegister = 5,
    Timeout = 6,
    Expression = 7,
    Flags = 9,
    Expressions = 10,
}

/// <summary>Values of expression attributes.</summary>
internal static class NftExpressionValues
{
    public const uint NumgenIncremental = 0; // NFT_NG_INCREMENTAL
    public const uint NumgenRandom = 1; // NFT_NG_RANDOM
    public const uint ChecksumNone = 0; // NFT_PAYLOAD_CSUM_NONE
    public const uint ChecksumInet = 1; // NFT_PAYLOAD_CSUM_INET
    public const uint ChecksumPseudoHeader = 1; // NFT_PAYLOAD_L4CSUM_PSEUDOHDR
    public const uint ExthdrPresent = 1; // NFT_EXTHDR_F_PRESENT
    public const uint ByteorderHton = 1; // NFT_BYTEORDER_HTON
    public const uint HashJenkins = 0; // NFT_HASH_JENKINS
    public const uint HashSymmetric = 1; // NFT_HASH_SYM
    public const uint BitwiseMaskXor = 0; // NFT_BITWISE_MASK_XOR
    public const uint BitwiseLeft = 1; // NFT_BITWISE_LSHIFT
    public const uint BitwiseRight = 2; // NFT_BITWISE_RSHIFT
    public const uint LookupInverted = 1; // NFT_LOOKUP_F_INV
    public const uint Inverted = 1; // NFT_LIMIT_F_INV, NFT_QUOTA_F_INV, NFT_CONNLIMIT_F_INV
    public const uint QuotaDepleted = 2; // NFT_QUOTA_F_DEPLETED, which the kernel sets
    public const uint OsfVersion = 1; // NFT_OSF_F_VERSION
    public const uint SourceNat = 0; // NFT_NAT_SNAT
    public const uint DestinationNat = 1; // NFT_NAT_DNAT
    public const uint RangeAddresses = 1; // NF_NAT_RANGE_MAP_IPS
    public const uint RangeProto = 2; // NF_NAT_RANGE_PROTO_SPECIFIED
    public const uint RejectIcmp = 0; // NFT_REJECT_ICMP_UNREACH
    public const uint RejectTcpReset = 1; // NFT_REJECT_TCP_RST
    public const uint RejectIcmpx = 2; // NFT_REJECT_ICMPX_UNREACH
    public const byte IcmpPortUnreachable = 3; // ICMP_PORT_UNREACH
    public const byte Icmp6PortUnreachable = 4; // ICMPV6_PORT_UNREACH
    public const byte IcmpxPortUnreachable = 1; // NFT_REJECT_ICMPX_PORT_UNREACH
    public const uint LogLevelWarning = 4; // LOGLEVEL_WARNING, the default
}
