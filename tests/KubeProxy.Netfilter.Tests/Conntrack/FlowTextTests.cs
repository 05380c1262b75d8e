using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Conntrack;

namespace KubeProxy.Netfilter.Tests.Conntrack;

/// <summary>What the conntrack tool prints is compared in the kernel tests; here is what it would need other machines for.</summary>
public sealed class FlowTextTests
{
    [Fact]
    public void All_fields_in_the_order_of_the_tool()
    {
        var flow = FlowMessages.Full() with { Sctp = null, Dccp = null, Stopped = null };
        const string Line =
            "tcp      6 300 ESTABLISHED src=10.0.0.1 dst=10.96.0.10 sport=1000 dport=21 zone-orig=8 packets=1 bytes=18446744073709551615 "
            + "src=10.96.0.10 dst=10.0.0.1 sport=21 dport=1000 zone-reply=9 packets=3 bytes=4 [ASSURED] mark=66 secctx=system_u:object_r:unlabeled_t:s0 zone=7 ";

        Assert.Equal(Line + "helper=ftp use=2", flow.ToString());
        Assert.Equal("ipv4     2 " + Line + "delta-time=10 helper=ftp labels=1,127 use=2 id=4711",
            FlowText.Of(flow, FlowTextParts.Family | FlowTextParts.Id | FlowTextParts.Labels, flow.Started?.AddSeconds(10)));
    }

    [Theory]
    [InlineData(FlowStatus.Assured, " [ASSURED] ")]
    [InlineData(FlowStatus.Assured | FlowStatus.Offload, " [OFFLOAD] ")]
    [InlineData(FlowStatus.Assured | FlowStatus.Offload | FlowStatus.HardwareOffload, " [HW_OFFLOAD] ")]
    [InlineData(FlowStatus.Confirmed, " dport=1000 mark=")]
    public void The_strongest_state_is_shown(FlowStatus status, string expected) =>
        Assert.Contains(expected, (FlowMessages.Udp("10.0.0.1:1000", "10.96.0.10:53") with { Status = status }).ToString());

    [Theory]
    [InlineData(FlowDccpState.PartOpen, "dccp     33 PARTOPEN src=")]
    [InlineData((FlowDccpState)77, "dccp     33 77 src=")]
    public void Dccp_of_kernels_that_track_it(FlowDccpState state, string expected)
    {
        var tuple = new FlowTuple(FlowProtocols.Dccp, IpAddr.Parse("10.0.0.1"), IpAddr.Parse("10.0.0.2"), 1, 2);
        Assert.StartsWith(expected, new Flow(tuple, tuple.Reverse(), FlowStatus.Confirmed, 0, 0, 0) { Dccp = new FlowDccp(state, false, 0) }.ToString());
    }

    [Fact]
    public void Bits_of_the_state_have_names()
    {
        for (var bit = 0; bit < 16; bit++) Assert.False(int.TryParse(((FlowStatus)(1 << bit)).ToString(), out _));
    }
}
