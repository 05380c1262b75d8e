namespace KubeProxy.Netfilter.Conntrack;

// linux/netfilter/nfnetlink_conntrack.h; all numbers on the wire are big endian.

internal enum CtExpectationMessage : byte
{
    New = 0, // IPCTNL_MSG_EXP_NEW
    Get = 1, // IPCTNL_MSG_EXP_GET
    Delete = 2, // IPCTNL_MSG_EXP_DELETE
}

internal enum CtExpectationAttribute : ushort
{
    Master = 1, // CTA_EXPECT_MASTER
    Tuple = 2, // CTA_EXPECT_TUPLE
    Mask = 3, // CTA_EXPECT_MASK
    Timeout = 4, // CTA_EXPECT_TIMEOUT
    Id = 5, // CTA_EXPECT_ID
    Helper = 6, // CTA_EXPECT_HELP_NAME
    Zone = 7, // CTA_EXPECT_ZONE
    Flags = 8, // CTA_EXPECT_FLAGS
    Class = 9, // CTA_EXPECT_CLASS
    Nat = 10, // CTA_EXPECT_NAT
    Function = 11, // CTA_EXPECT_FN
}

internal enum CtExpectationNatAttribute : ushort
{
    Direction = 1, // CTA_EXPECT_NAT_DIR
    Tuple = 2, // CTA_EXPECT_NAT_TUPLE
}
