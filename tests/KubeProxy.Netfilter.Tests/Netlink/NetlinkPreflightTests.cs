using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Tests.Netlink;

public sealed class NetlinkPreflightTests
{
    [Theory]
    [InlineData(Errno.OperationNotPermitted, "needs CAP_NET_ADMIN")]
    [InlineData(Errno.AccessDenied, "needs CAP_NET_ADMIN")]
    [InlineData(Errno.ProtocolNotSupported, "lacks CONFIG_NF_TABLES (module nf_tables,")]
    [InlineData(Errno.NotSupported, "lacks CONFIG_NF_TABLES (module nf_tables,")]
    [InlineData(Errno.InvalidArgument, "may be too old, or lack CONFIG_NF_TABLES (module nf_tables)")]
    [InlineData(Errno.OutOfMemory, "nf_tables: list tables: ENOMEM")]
    public void The_cause_is_explained(int errno, string expected)
    {
        var text = NetlinkPreflight.Explain(new NetlinkException("list tables", errno), "nf_tables", "CONFIG_NF_TABLES", "nf_tables");
        Assert.Contains(expected, text, StringComparison.Ordinal);
        Assert.Contains($"list tables: {Errno.Name(errno)}", text, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_errno_is_shown_as_a_number() => Assert.Equal("errno 4711", Errno.Name(4711));
}
