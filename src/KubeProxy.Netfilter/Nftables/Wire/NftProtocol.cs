using System.Diagnostics.CodeAnalysis;

// Attribute numbers of linux/netfilter/nf_tables.h; the names follow the kernel's, without the NFTA_ prefix of their level.
namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>enum nf_tables_msg_types.</summary>
internal enum NftMessage : byte
{
    NewTable = 0,
    GetTable = 1,
    DelTable = 2,
    NewChain = 3,
    GetChain = 4,
    DelChain = 5,
    NewRule = 6,
    GetRule = 7,
    DelRule = 8,
    NewSet = 9,
    GetSet = 10,
    DelSet = 11,
    NewSetElem = 12,
    GetSetElem = 13,
    DelSetElem = 14,
    NewGen = 15,
    GetGen = 16,
    NewObj = 18,
    GetObj = 19,
    DelObj = 20,
    NewFlowtable = 22,
    GetFlowtable = 23,
    DelFlowtable = 24,
}

internal enum ListAttribute : ushort
{
    Element = 1, // NFTA_LIST_ELEM
}

internal enum TableAttribute : ushort
{
    Name = 1,
    Flags = 2,
    Use = 3,
    Handle = 4,
    Padding = 5,
    Userdata = 6,
    Owner = 7,
}

internal enum ChainAttribute : ushort
{
    Table = 1,
    Handle = 2,
    Name = 3,
    Hook = 4,
    Policy = 5,
    Use = 6,
    Type = 7,
    Counters = 8,
    Padding = 9,
    Flags = 10,
    Id = 11,
    Userdata = 12,
}

internal enum HookAttribute : ushort
{
    Number = 1,
    Priority = 2,
    Device = 3,
    Devices = 4,
}

internal enum DeviceAttribute : ushort
{
    Name = 1, // NFTA_DEVICE_NAME
}

internal enum RuleAttribute : ushort
{
    Table = 1,
    Chain = 2,
    Handle = 3,
    Expressions = 4,
    Compat = 5,
    Position = 6,
    Userdata = 7,
}

internal enum SetAttribute : ushort
{
    Table = 1,
    Name = 2,
    Flags = 3,
    KeyType = 4,
    KeyLength = 5,
    DataType = 6,
    DataLength = 7,
    Policy = 8,
    Description = 9,
    Id = 10,
    Timeout = 11,
    GcInterval = 12,
    Userdata = 13,
    Padding = 14,
    ObjectType = 15,
    Handle = 16,
    Expression = 17,
    Expressions = 18,
    Backend = 19,
    Count = 20,
}

internal enum SetDescriptionAttribute : ushort
{
    Size = 1,
    Concat = 2,
}

internal enum SetFieldAttribute : ushort
{
    Length = 1,
}

internal enum ElementListAttribute : ushort
{
    Table = 1,
    Set = 2,
    Elements = 3,
    SetId = 4,
}

internal enum ElementAttribute : ushort
{
    Key = 1,
    Data = 2,
    Flags = 3,
    Timeout = 4,
    Expiration = 5,
    Userdata = 6,
    Expression = 7,
    Padding = 8,
    Object = 9,
    KeyEnd = 10,
    Expressions = 11,
}

internal enum DataAttribute : ushort
{
    Value = 1,
    Verdict = 2,
}

internal enum VerdictAttribute : ushort
{
    Code = 1,
    Chain = 2,
}

internal enum ExpressionAttribute : ushort
{
    Name = 1,
    Data = 2,
}

internal enum GenerationAttribute : ushort
{
    Id = 1,
    ProcessId = 2,
    ProcessName = 3,
}

/// <summary>NFT_SET_* bits beyond those of <see cref="NftSetFlags"/>.</summary>
[Flags]
[SuppressMessage("Naming", "CA1712", Justification = "The kernel's names.")]
internal enum SetWireFlags : uint
{
    Anonymous = 0x1,
    Map = 0x8,
    Object = 0x40,
    Concat = 0x80,
    Expression = 0x100,
}

internal static class NftProtocol
{
    public const uint IntervalEnd = 1; // NFT_SET_ELEM_INTERVAL_END
    public const uint CatchAll = 2; // NFT_SET_ELEM_CATCHALL
    public const uint ChainOffload = 2; // NFT_CHAIN_HW_OFFLOAD
    public const uint ChainBinding = 4; // NFT_CHAIN_BINDING
    public const uint MemoryPolicy = 1; // NFT_SET_POL_MEMORY
    public const uint VerdictDataType = 0xFFFF_FF00; // NFT_DATA_VERDICT
    public const int BitsOfType = 6; // nft's TYPE_BITS: of each part in the type number of a concatenation
    public const string AnonymousSet = "__set%d";
    public const string AnonymousMap = "__map%d";
    public const string AnonymousObjectMap = "__objmap%d";
}
